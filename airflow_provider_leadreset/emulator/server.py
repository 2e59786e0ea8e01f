"""The emulator as a server in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.emulator.account.account import (
    ACCESS_KEY,
    SECRET_KEY,
    Account,
    Latency,
)
from airflow_provider_leadreset.emulator.dialect import Dialect

if TYPE_CHECKING:
    from airflow_provider_leadreset.emulator.http.uvicorn_server import HttpServer

_START_TIMEOUT = 30.0


class LeadSquaredEmulator(Account):
    """A local LeadSquared, for demos and tests::

        with LeadSquaredEmulator() as lsq:
            lead_id = lsq.add_lead()
            monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", lsq.conn_json)
            ...
            assert lsq.remaining(lead_id)["activities"] == []

    It listens on 127.0.0.1 only. All methods may be called from any thread. What it is a guess about stands
    in the documentation of the package.

    :param port: 0 for any free one.
    :param calls_per_5s: the account's limit; None for no limit.
    :param window: the length of the limit's window, in seconds.
    :param count_rejected: whether rejected calls use up budget too (unknown in reality).
    :param latency: seconds after the arrival stamp, or a function that gives them.
    :param latency_before: seconds before the arrival stamp, or a function that gives them.
    :param queue_delay: seconds from "queued" to applied; None to wait for :meth:`apply_queue`.
    :param dialect: how it behaves where LeadSquared's behaviour is unknown or differs: a :class:`.Dialect`, or a
        mapping such as ``{"page_cap": 200}``.
    :param access_key: the access key to accept.
    :param secret_key: the secret key to accept.
    :raises ValueError: when a value, the dialect's included, is none of those that are taken.
    :raises ImportError: when the packages of the ``emulator`` extra are missing.
    """

    def __init__(
        self,
        port: int = 0,
        calls_per_5s: int | None = 25,
        window: float = 5.0,
        count_rejected: bool = False,
        latency: Latency = 0.0,
        latency_before: Latency = 0.0,
        queue_delay: float | None = 0.05,
        dialect: Dialect | Mapping[str, Any] | None = None,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
    ) -> None:
        super().__init__(
            calls_per_5s=calls_per_5s,
            window=window,
            count_rejected=count_rejected,
            latency=latency,
            latency_before=latency_before,
            queue_delay=queue_delay,
            dialect=dialect,
            access_key=access_key,
            secret_key=secret_key,
        )
        _require_extra()
        self._port = port
        self._server: HttpServer | None = None
        self._thread: threading.Thread | None = None

    # -- running ------------------------------------------------------------------------------------------

    def start(self) -> LeadSquaredEmulator:
        """Start to listen; return once connections are accepted.

        After a :meth:`stop` it comes back on the same port, with its records.
        """
        from airflow_provider_leadreset.emulator.http.uvicorn_server import HttpServer

        if self._server is not None:
            raise RuntimeError("The emulator runs already")
        server = HttpServer(self, self._port)
        self._port = server.port
        thread = threading.Thread(target=server.serve_until_stopped, name="leadsquared-emulator", daemon=True)
        thread.start()
        if not server.ready.wait(_START_TIMEOUT) or server.failure is not None:
            raise RuntimeError("The emulator did not start") from server.failure
        self._server, self._thread = server, thread
        return self

    def stop(self) -> None:
        """Stop to listen, and break off calls under way. Records and recorded calls stay readable."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.stop()
            thread.join(_START_TIMEOUT)

    def __enter__(self) -> LeadSquaredEmulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- connecting ---------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Host and port, ``127.0.0.1:PORT``."""
        if self._port == 0:
            raise RuntimeError("The emulator has no port before it was started")
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address, ``http://127.0.0.1:PORT``."""
        return f"http://{self.host}"

    def connection(self, **extra: Any) -> dict[str, Any]:
        """Return an Airflow Connection to the emulator, in the fields of Airflow's JSON form.

        :param extra: more fields for the connection's extra. ``calls_per_5s`` is the account's limit unless
            given; without a limit it is left out.
        """
        limit = {} if self.limit.calls is None else {"calls_per_5s": self.limit.calls}
        return {
            "conn_type": "leadsquared",
            "host": self.url,
            "login": self.access_key,
            "password": self.secret_key,
            "extra": {**limit, **extra},
        }

    @property
    def conn_json(self) -> str:
        """The connection as JSON text, for ``AIRFLOW_CONN_LEADSQUARED_DEFAULT``."""
        return json.dumps(self.connection())


def _require_extra() -> None:
    try:
        import fastapi
        import uvicorn
    except ImportError as error:
        raise ImportError(
            f"The LeadSquared emulator needs {error.name}: pip install 'airflow-provider-leadreset[emulator]'"
        ) from error
    del fastapi, uvicorn
