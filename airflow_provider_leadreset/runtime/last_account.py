"""Which account an earlier try of a task worked on: a batch must not be half in one account and half in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.runtime.checkpoint import own_clears

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity


class LastAccount:
    """The account of a task's earlier tries, where Airflow (3.3 and later) has a place for it.

    Kept as progress is: a retry finds it, a Clear starts anew.
    """

    def __init__(self, context: Context, log: Any) -> None:
        self._store: Any = context.get("task_state_store")
        self._key = f"leadreset-account/{own_clears(context)}"
        self._log = log

    def refuse_other(self, account: AccountIdentity) -> None:
        """Refuse another account than that of an earlier try that came as far as its first reset.

        :raises InputError: it is another: somebody has exchanged the connection's keys meanwhile.
        """
        known: object = None if self._store is None else self._store.get(self._key)
        if isinstance(known, dict) and account.is_other_than(known):
            raise InputError(
                f"an earlier try of this task worked on the account {_named(known)}, and the connection now leads to "
                f"{_named(account.as_json())}: nothing was reset in this one. Correct the connection; if the new "
                "account is meant, clear the task, and it starts anew"
            )

    def keep(self, account: AccountIdentity) -> None:
        """Keep it for later tries, before the first reset of this one."""
        if self._store is None:
            return
        try:
            self._store.set(self._key, account.as_json())
        except (BrokenPipeError, EOFError):
            raise  # the process that watches over this task is gone
        except Exception as error:  # whatever it is: a retry is then not held to this account
            self._log.warning("The account could not be kept for a retry to compare: %s", error)

    def forget(self) -> None:
        """Forget it, the task being done."""
        if self._store is None:
            return
        try:
            self._store.delete(self._key)
        except (BrokenPipeError, EOFError):
            raise
        except Exception as error:  # it stays until Airflow removes it
            self._log.warning("The account of this try could not be removed from the task's state: %s", error)


def _named(account: dict[str, object]) -> str:
    return f"{account.get('code') or 'without a code'} at {account.get('host')}"
