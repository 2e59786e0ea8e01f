"""LeadResetHook: an Airflow connection becomes a :class:`.LeadSquaredClient`."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock, RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow_provider_leadreset.compat import AirflowNotFoundException, BaseHook, mask_secret
from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.hooks.hook_lineage import HookLineage, data_of
from airflow_provider_leadreset.hooks.task_errors import as_task_error
from airflow_provider_leadreset.hooks.task_slots import (
    TaskSlots,
    current_slots,
    drain,
    runs_without_context,
    warn_of_other_process,
    warn_outside_pool,
    warn_without_context,
    was_forked_off_a_task,
)
from airflow_provider_leadreset.leadsquared.api.account_findings import (
    AccountFindings,
    parse_account_findings,
)
from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.connection import (
    account_host,
    given_web_address,
    key_forms,
    lead_page,
    web_address_of,
)
from airflow_provider_leadreset.leadsquared.api.secret import KeySpellings, Secret
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.progress_log import ListProgress, ProgressLog
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    ThrottledError,
)
from airflow_provider_leadreset.leadsquared.records import catalog, lead_lists
from airflow_provider_leadreset.leadsquared.records.deciding_dates import deciding_dates
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.safety.preview import LeadRecordCounts, count_lead_records
from airflow_provider_leadreset.leadsquared.safety.rules import RULES, AccountRules, parse_rules
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, NotGiven
from airflow_provider_leadreset.leadsquared.text import presentable, quoted, sentence

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock
    from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter


@dataclass(frozen=True)
class _ConnectionFields:
    """A connection's fields. Airflow's own object shows the keys, and tracebacks show what a hook holds."""

    host: Secret
    port: int | None
    login: Secret
    password: Secret
    extra: Secret

    @classmethod
    def of(cls, connection: Any) -> Self:
        """Return the fields of Airflow's connection."""
        return cls(
            Secret(connection.host),
            connection.port,
            Secret(connection.login),
            Secret(connection.password),
            Secret(connection.extra),
        )


@dataclass(frozen=True)
class AccountSettings:
    """What the connection says beside host and keys.

    :param calls_per_5s: calls that the plan allows the account in any 5 seconds.
    :param pool: the Airflow pool whose slots are those calls.
    :param timeout: seconds for a call as a whole, from the look-up of the host to the last byte of the answer.
    :param web_address: where LeadSquared's web application is, up to the first slash of its paths; None if
        that is to be worked out from the API host.
    :param rules: what the account's owner demands of every reset.
    :param account_check: what the account check found, of whichever account; None where there is none.
    """

    calls_per_5s: int = 25
    pool: str = ""
    timeout: float = 30.0
    web_address: str | None = None
    rules: AccountRules = field(default_factory=AccountRules)
    account_check: AccountFindings | None = None


_EXTRAS = ("calls_per_5s", "pool", "timeout", "app_host", "rules", "account_check")

_GUARDS = {"rules": 0.7, "account_check": 0.85, "calls_per_5s": 0.8, "pool": 1.0}
"""Extras that guard: one that is spelt so nearly like them is refused, since a misspelt guard is none."""

_OLD_PREFIX = "extra__leadsquared__"
"""What older versions of Airflow put before an extra's name."""

_NOT_COPIED = {"_connection", "settings", "_client", "_findings", "_lineage", "_log"}
"""What belongs to one hook in one process: keys, connections, locks."""

_of_parent: list[LeadSquaredClient] = []
"""Clients that are another process's; see :meth:`LeadResetHook.get_conn`."""

_leads_lock = Lock()
"""Held while a lead is counted among those that a hook was asked for."""

LONGEST_NAME = 80
"""Characters that are shown of a name of others."""

MOST_NAMES = 10
"""Unknown extras that a warning names."""


class LeadResetHook(BaseHook):
    """Calls LeadSquared with the host and keys of an Airflow connection.

    The connection, of type ``leadsquared``: Host = the account's API host (``api-in21.leadsquared.com``),
    Login = access key, Password = secret key. Extra, all optional: ``calls_per_5s`` (25; what the plan
    allows), ``pool`` (the connection's own id), ``timeout`` (30 seconds), ``app_host`` (of the web application,
    for links to leads; worked out from the API host), ``rules`` (what every reset is held to: ``{"resets": true,
    "require": ["plan", "approval"], "max_leads": 10000}``), ``account_check`` (what the account check found; without
    the account's own code, or with another account's, it is not used).

    In a task of the account's pool it paces itself to that task's slots. ``with LeadResetHook(…) as hook:`` waits on
    leaving until its last calls count no more, so that whoever gets the slots next does not exceed the limit with them.
    All hooks, operators and clients of one account in a process together keep to the least that one of them may use.

    :param leadsquared_conn_id: id of the connection.
    :param calls: at most so many calls start in any 5 seconds; by default the slots of the task that it runs in, where
        that is in the account's pool, and else the connection's ``calls_per_5s``.
    """

    conn_name_attr: ClassVar[str] = "leadsquared_conn_id"
    default_conn_name: ClassVar[str] = "leadsquared_default"
    conn_type: ClassVar[str] = "leadsquared"
    hook_name: ClassVar[str] = "LeadSquared"

    def __init__(self, leadsquared_conn_id: str = default_conn_name, *, calls: int | None = None) -> None:
        super().__init__()
        self.leadsquared_conn_id = leadsquared_conn_id
        self.calls = calls
        self.warns_outside_pool = True
        """Whether a task that calls outside the account's pool is told so."""
        self._process = 0
        self._slots: TaskSlots | None = None
        self._lineage = HookLineage()
        self._leads: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs, also in another process: it finds the keys and makes the client anew."""
        state = {name: value for name, value in vars(self).items() if name not in _NOT_COPIED}
        with _leads_lock:
            return state | {"_leads": set(self._leads)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lineage = HookLineage()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections, and wait until the calls made count no more: at most some 5 seconds."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()
            drain(client.limiter, self.log)

    @contextmanager
    def _naming_connection(self) -> Generator[None, None, None]:
        """Let an error that comes of the connection's fields name the connection, as a task's error."""
        try:
            yield
        except InputError as error:
            raise as_task_error(error, f"connection {self.leadsquared_conn_id}: {error}") from None

    @contextmanager
    def _calling(self) -> Generator[None, None, None]:
        """Call LeadSquared, and let its errors name the connection; a value that was given to the hook is not its."""
        try:
            yield
        except InputError as error:
            raise as_task_error(error, self._struck(str(error))) from None
        except LeadSquaredError as error:
            error.message = self._struck(error.message)
            error.args = (error.message,)
            raise as_task_error(error, f"connection {self.leadsquared_conn_id}: {error}") from None

    def _struck(self, text: str) -> str:
        """Strike the keys out of an error's text: what a server gave, or what was pasted, may repeat one."""
        return KeySpellings(self._connection.login, self._connection.password).strike_out(text)

    @cached_property
    def _connection(self) -> _ConnectionFields:
        try:
            fields = _ConnectionFields.of(self.get_connection(self.leadsquared_conn_id))
        except AirflowNotFoundException as error:
            # Airflow says the same of a backend that is away, and of a variable it cannot read (tried on 2.11 and 3.3).
            variable = f"AIRFLOW_CONN_{self.leadsquared_conn_id.upper()}"
            hint = f" (the variable {variable} is set, so it holds no readable connection)"
            raise LeadResetResourceError(
                f"connection {self.leadsquared_conn_id} is not defined, or its secrets backend or database did not "
                f"answer{hint if variable in os.environ else ''}: {error}"
            ) from None
        # Airflow masks the password as it is; a key can also turn up stripped or percent-encoded, and the
        # access key is a login, which Airflow does not mask at all.
        deque(map(mask_secret, key_forms(fields.login, fields.password)), maxlen=0)
        return fields

    @cached_property
    def settings(self) -> AccountSettings:
        """The connection's extras, checked.

        :raises LeadResetInputError: one of them is no usable value. A key that was pasted there is struck out.
        :raises LeadResetResourceError: the connection was not found.
        """
        with self._naming_connection():
            try:
                return self._read_settings()
            except InputError as error:
                said = self._struck(str(error))
                raise InputError(said) from None

    def _read_settings(self) -> AccountSettings:
        extra = _object(self._connection.extra.text())
        unknown = sorted(set(extra) - set(_EXTRAS))
        for name in unknown:
            plain = name.strip().lower().replace("-", "_").removeprefix(_OLD_PREFIX)
            for guard, likeness in _GUARDS.items():
                if difflib.get_close_matches(plain, [guard], cutoff=likeness):
                    raise InputError(
                        f"the connection's Extra has {quoted(name)}, which is not known: did you mean {guard}? A "
                        "misspelt guard is none: correct it, or remove it, since it has no effect"
                    )
            if plain in RULES:
                raise InputError(
                    f"the connection's Extra has {quoted(name)} beside rules, where it guards nothing: write it "
                    f'inside of them, {{"rules": {{"{plain}": …}}}}'
                )
        if unknown:
            self.log.warning(
                "Connection %s: the extras %s are not known and have no effect; known are %s",
                self.leadsquared_conn_id,
                self._named(unknown),
                ", ".join(_EXTRAS),
            )
        return AccountSettings(
            calls_per_5s=_whole_number(
                "calls_per_5s", extra.get("calls_per_5s"), AccountSettings.calls_per_5s
            ),
            pool=_pool(extra.get("pool"), self.leadsquared_conn_id),
            timeout=_seconds("timeout", extra.get("timeout"), AccountSettings.timeout),
            web_address=given_web_address(extra.get("app_host")),
            rules=parse_rules(extra.get("rules")),
            account_check=_findings(extra.get("account_check")),
        )

    def _named(self, names: Sequence[str]) -> str:
        """Return names of others, fit for a line of a log: one may hold line breaks, or a key that was pasted."""
        strike_out = KeySpellings(self._connection.login, self._connection.password).strike_out
        shown = [quoted(presentable(name, strike_out, LONGEST_NAME)) for name in names[:MOST_NAMES]]
        more = len(names) - len(shown)
        return ", ".join([*shown, *([f"and {more} more"] if more else [])])

    @property
    def _host(self) -> str:
        # No local name for the connection: its repr shows the keys, and some tracebacks show local names.
        host, port = self._connection.host.text(), self._connection.port
        if port and not re.search(r":\d+(/|$)", host):
            host = re.sub(r"^((?:https?://)?(?:\[[^]]*\]|[^/:]+))", rf"\g<1>:{port}", host)
        return host

    @cached_property
    def _client(self) -> LeadSquaredClient:
        settings = self.settings
        other_process = was_forked_off_a_task() or (self._process != os.getpid() and self._slots)
        if other_process and self.calls is None and self.warns_outside_pool:
            warn_of_other_process(self.log)
        self._process = os.getpid()
        with self._naming_connection():
            return self._client_with(calls=self._share(settings), account_calls=settings.calls_per_5s)

    def _client_with(
        self, *, calls: int = 25, account_calls: int | None = None, limiter: RateLimiter | None = None
    ) -> LeadSquaredClient:
        return LeadSquaredClient(
            self._host,
            self._connection.login.text(),
            self._connection.password.text(),
            timeout=self.settings.timeout,
            calls=calls,
            account_calls=account_calls,
            limiter=limiter,
        )

    def _share(self, settings: AccountSettings) -> int:
        """Return how many calls may start here in a window."""
        slots = self._slots = current_slots()
        most = settings.calls_per_5s
        if slots and slots.pool == settings.pool:
            most = min(most, slots.slots)
        elif slots and self.warns_outside_pool:
            warn_outside_pool(self.log, slots, settings.pool)
        elif slots is None and self.calls is None and self.warns_outside_pool and runs_without_context():
            warn_without_context(self.log, most)
        if self.calls is None:
            return most
        if isinstance(self.calls, bool) or not isinstance(self.calls, int) or self.calls < 1:
            raise InputError(f"calls is {quoted(self.calls)}: give a whole number of at least 1")
        return min(self.calls, most)

    def get_conn(self) -> LeadSquaredClient:
        """Return the client; the same one each time, but for another process, or a task of other slots.

        A process that was forked off has connections of its own. A hook of a DAG file's top level may have called
        before there was a task, and in one process several tasks may use it, each with its slots.

        :raises LeadResetInputError: the connection has no usable host, keys or extras, or the task's pool was mapped
            over. The error quotes no key.
        :raises LeadResetResourceError: the connection was not found.
        """
        if self._process != os.getpid():
            self._leave_to_parent()
        elif "_client" in self.__dict__:
            with self._naming_connection():
                slots = current_slots()
            # None in a callback, which runs in the task all the same.
            if slots and slots != self._slots and (old := self.__dict__.pop("_client", None)):
                old.close()
        return self._client

    def _leave_to_parent(self) -> None:
        """Use the client no more that came with a fork, and keep it: to free it would close its connections.

        That takes a lock of the network library, which a thread that was not copied may have held.
        """
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.limiter.release()
            _of_parent.append(client)

    def findings_of(self, account: AccountIdentity) -> AccountFindings | None:
        """Return what the account check found, if the connection has it and it is this account's; else say why not."""
        found = self.settings.account_check
        if found is None or found.is_of(account.code or ""):
            return found
        self.log.warning(
            "Connection %s: its account_check is of account %s, and %s, so it is not used",
            self.leadsquared_conn_id,
            quoted(found.account),
            f"this is {quoted(account.code)}" if account.code else "LeadSquared does not say which this is",
        )
        return None

    @cached_property
    def _findings(self) -> AccountFindings | None:
        if self.settings.account_check is None:
            return None
        return self.findings_of(AccountIdentity.ask(self.get_conn()))

    def reset(self, reset: LeadReset) -> None:
        """Queue one lead's reset; see :meth:`.LeadSquaredClient.reset`.

        :raises LeadResetInputError: the connection's rules stop resets, require what a hook has none of, such as a
            plan, or allow fewer leads than this hook was asked for.
        :raises AirflowException: one class of :mod:`.exceptions` per cause, as of a task; so do all that call.
        """
        rules = self.settings.rules
        with self._naming_connection():
            rules.check_arguments(())
            if rules.max_leads is not None:
                with _leads_lock:  # threads that count together would each find room for the last one
                    rules.check_leads(len(self._leads | {reset.prospect_id.lower()}))
                    self._leads.add(reset.prospect_id.lower())
        client = self.get_conn()
        with self._calling():
            client.reset(reset)
        self._lineage.deletes(self, client.host, data_of(reset.selectors))

    def preview(self, reset: LeadReset) -> LeadRecordCounts:
        """Count what one lead's reset would delete, and delete nothing; see :func:`.preview.count_lead_records`.

        Where the connection has an ``account_check``, the account is asked for once, to tell whether it is this one's.
        """
        client = self.get_conn()
        with self._calling():
            dates = deciding_dates(self._findings)
            counts = count_lead_records(client, reset, task_types_of(client, reset.selectors), dates)
        self._lineage.reads(self, client.host, data_of(reset.selectors))
        return counts

    def list_members(self, list_id: str) -> list[str]:
        """Return the lead ids of a list, read to its end; see :func:`.lead_lists.list_members`."""
        client = self.get_conn()
        with self._calling(), ProgressLog(client.limiter, self.log.info) as progress:
            members = lead_lists.list_members(client, list_id, ListProgress(progress, list_id))
        self._lineage.reads(self, client.host, ["leads"])
        return members

    def activity_types(self) -> dict[int, str]:
        """Return the account's activity events, code to name; see :func:`.catalog.activity_types`."""
        client = self.get_conn()
        with self._calling():
            types = catalog.activity_types(client)
        self._lineage.reads(self, client.host, ["activity_types"])
        return types

    def task_types(self) -> dict[str, str]:
        """Return the account's task types, GUID to name; see :func:`.catalog.task_types`."""
        client = self.get_conn()
        with self._calling():
            types = catalog.task_types(client)
        self._lineage.reads(self, client.host, ["task_types"])
        return types

    def check_account(
        self,
        *,
        lead: str | NotGiven = NOT_GIVEN,
        activity_event: int | Sequence[int] | NotGiven = NOT_GIVEN,
        task_type: str | NotGiven = NOT_GIVEN,
        stage: str | NotGiven = NOT_GIVEN,
        owner: str | NotGiven = NOT_GIVEN,
        patience: float = 600.0,
        say: Callable[[str], None] | NotGiven = NOT_GIVEN,
        clock: CheckClock | NotGiven = NOT_GIVEN,
    ) -> AccountCheckResult:
        """Find out how this account behaves where LeadSquared is not documented, with a throw-away lead.

        It creates a lead named ``ZZ leadreset check`` with records of its own, resets them, and looks what went; no
        write names another lead. It takes at most a fifth of the account's calls, some 800 calls and two hours where
        all is asked, and 85 calls and 12 minutes more for each further event code. Automations of the account may
        react, and the lead stays.

        :param lead: GUID of a lead without a record of any kind, to use in place of a new one.
        :param activity_event: code of a custom activity, or several, to ask about activities too. What moves
            LeadLastModifiedOn and which date decides is asked of each, the rest of the first.
        :param task_type: name or id of a task type, to ask about tasks too.
        :param stage: a stage to change the lead to and back, to ask about its audits.
        :param owner: GUID of a user, likewise.
        :param patience: seconds for which a record that stays is watched at least; below 600 for an emulator only.
        :param say: told what is being done; by default the log.
        :param clock: injected in tests.
        :returns: the questions with their verdicts, and what goes into the connection's extra ``account_check``.
        :raises LeadResetInputError: a value that cannot be what was meant, or that names what the account does not
            have.
        :raises AirflowException: the account cannot be asked; one class of :mod:`.exceptions` per cause.
        """
        from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheck
        from airflow_provider_leadreset.leadsquared.account_check.check_clock import MachineClock
        from airflow_provider_leadreset.leadsquared.account_check.check_options import parse_check_options
        from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import GentleLimiter

        given_clock = None if isinstance(clock, NotGiven) else clock
        with self._naming_connection():
            client = self._client_with(limiter=GentleLimiter(self.settings.calls_per_5s, given_clock))
        try:
            with self._calling():
                options = parse_check_options(
                    lead=lead,
                    activity_event=activity_event,
                    task_type=task_type,
                    stage=stage,
                    owner=owner,
                    patience=patience,
                    host=client.host,
                )
                return AccountCheck(
                    client,
                    options,
                    given_clock or MachineClock(),
                    self.log.info if isinstance(say, NotGiven) else say,
                ).run()
        finally:
            client.close()

    def lead_url(self, prospect_id: str) -> str | None:
        """Return the address of a lead's page in LeadSquared, without a call; see :func:`.connection.lead_page`.

        :raises LeadResetInputError: the connection has no usable host or extras.
        """
        address = self.settings.web_address
        with self._naming_connection():
            return lead_page(address or web_address_of(self._host), prospect_id)

    @staticmethod
    def get_ui_field_behaviour() -> dict[str, Any]:
        """What Airflow 2.11 to 3.1 call the connection's fields; later ones read the provider's description."""
        from airflow_provider_leadreset.hooks.connection_form import field_behaviour

        return field_behaviour()

    @staticmethod
    def get_connection_form_widgets() -> dict[str, Any]:
        """Return the fields that Airflow 2.11 to 3.1 add to the form; see :meth:`get_ui_field_behaviour`."""
        from airflow_provider_leadreset.hooks.connection_form import widgets

        return widgets()

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the connection can reset leads, and whose keys it has.

        Asks ``Authentication.svc/UserByAccessKey.Get`` (documented; any region's host answers it). That it
        takes the keys as headers is not documented: should it object, ``LeadsMetaData.Get`` is asked, which
        tells keys and host but neither user nor role.
        """
        try:
            client = self.get_conn()
            try:
                user = client.current_user(patient=False)
            except (AccessError, LeadRejectedError):
                client.call(
                    "GET",
                    "LeadManagement.svc/LeadsMetaData.Get",
                    params={"schemaName": "ProspectID"},
                    patient=False,
                )
                return True, f"{client.host} accepts the keys; it did not say whose they are"
        except ThrottledError as error:
            return False, f"The account is throttled now, which says nothing of the keys: {error}"
        except (LeadResetInputError, LeadResetFailedError, LeadSquaredError) as error:
            return False, sentence(str(error))
        return _judge(user, client.host, client.redact)


def _judge(user: dict[str, Any], host: str, redact: Callable[[str], str]) -> tuple[bool, str]:
    """Return whether the keys' user can reset leads, and who it is. What cannot be read is left out."""

    def name_in(*keys: str) -> str:
        parts = [part for key in keys if isinstance(part := user.get(key), str) and part]
        # One key may be parted among the fields of a name: the blank between them would hide it.
        joined = presentable("".join(parts), redact)
        whole = presentable(" ".join(parts), redact, LONGEST_NAME)
        hidden = len(parts) > 1 and joined != presentable("".join(parts), str)
        return joined[:LONGEST_NAME] if hidden else whole

    # The documented sample has Name alone, null for EmailAddress, and the e-mail address as PassPhrase.
    email = next((said for key in ("EmailAddress", "PassPhrase") if "@" in (said := name_in(key))), "")
    name = name_in("FirstName", "LastName") or name_in("Name")
    who = f"{name} ({email})" if name and email else name or email or "an unnamed user"
    role = name_in("Role")
    account = f"{name_in('OrgDisplayName') or 'account'} ({name_in('OrgShortCode') or 'no code'})"
    whose = f"Keys of {who}, {role or 'whose role was not said'}, {account}"
    right = account_host(user)
    if right and right != host:
        return False, redact(f"{whose}: the account lives at {right}, not at {host}: set Host to {right}")
    if role.lower() != "administrator":
        return False, f"{whose}: a reset needs an administrator's keys"
    return True, f"{whose}, at {host}"


def _findings(value: object) -> AccountFindings | None:
    if value is None or (isinstance(value, str) and not value.strip()):  # what an empty field of a form gives
        return None
    return parse_account_findings(value, today=datetime.now(UTC).date())


def _free_locks() -> None:
    """Make the locks anew that other threads may have held as this process was forked off: nobody frees them here."""
    global _leads_lock
    _leads_lock = Lock()
    for value in vars(LeadResetHook).values():
        # One for all hooks together, on Python 3.11.
        if isinstance(value, cached_property) and hasattr(value, "lock"):
            value.lock = RLock()


os.register_at_fork(after_in_child=_free_locks)


def _object(extra: str | None) -> dict[str, Any]:
    """Read the extras. Airflow would take unreadable ones for none, and the account's limit for the default."""
    if not extra or not extra.strip():
        return {}
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice.append(next(name for name in names if names.count(name) > 1))
        return found

    try:
        values = json.loads(extra, object_pairs_hook=once)
    except (ValueError, RecursionError):
        values = None
    del extra  # tracebacks show local names, and a key may have been pasted here
    if twice:
        # The last of the two would count, and the guard of the first be none.
        del values
        raise InputError(f"the connection's Extra has {quoted(twice[0])} twice: leave one of them")
    if not isinstance(values, dict):
        del values
        raise InputError(
            'the connection\'s Extra is no JSON object: write it like {"calls_per_5s": 10}, or leave it empty'
        )
    return _Extras(values)


class _Extras(dict[str, Any]):
    """What the connection's Extra holds. A traceback does not show it: a key may have been pasted into it."""

    def __repr__(self) -> str:
        return "<extras>"


def _whole_number(name: str, value: object, default: int) -> int:
    if value in (None, ""):
        return default
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise InputError(
            f"the connection's {name} is {quoted(value)}: give the number of calls that the plan allows "
            f"in {WINDOW:g} seconds, such as 25"
        )
    return int(text)


def _pool(value: object, default: str) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    if not isinstance(value, str):
        raise InputError(f"the connection's pool is {quoted(value)}: give the name of an Airflow pool")
    return value.strip()


def _seconds(name: str, value: object, default: float) -> float:
    if value in (None, ""):
        return default
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds <= 600:
        raise InputError(
            f"the connection's {name} is {quoted(value)}: give seconds, more than 0 and at most 600"
        )
    return seconds
