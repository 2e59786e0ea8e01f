"""What an account check finds of an emulated account, without the two hours that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow_provider_leadreset.emulator import Dialect
from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings

CODE = "LSQEMU"
"""What the emulator says its account is called."""


def findings_of(dialect: Dialect, codes: Iterable[int] = (166,)) -> dict[str, Any]:
    """Return what a check finds of a dialect that lets it find out everything."""
    moves = dialect.moves_last_modified
    movers = {"note", "task", "stage", "owner", "reset"}
    found: dict[str, Any] = {
        f"last_modified_{mover}": "moves" if mover in moves else "does not move" for mover in movers
    }
    for code in codes:
        found[f"last_modified_activity_{code}"] = (
            "moves" if "activity" in moves and code not in dialect.still_events else "does not move"
        )
    return {
        **found,
        "last_modified_zone": "UTC" if dialect.last_modified_zone == "UTC" else "not UTC",
        "last_modified_lag": float(max(dialect.last_modified_lag, dialect.replica_lag)),
        "activity_date": dialect.activity_date,
        "activity_codes": ", ".join(str(code) for code in codes),
        "task_date": dialect.task_date,
        "note_date": dialect.note_date,
        "stage_audits_reset": "goes",
        "owner_audits_reset": "goes",
    }


def account_check(
    dialect: Mapping[str, Any] | Dialect | None = None,
    *,
    account: str = CODE,
    checked_on: date | None = None,
    patience: float = 600.0,
    codes: Iterable[int] = (166,),
    **found: Any,
) -> dict[str, Any]:
    """Return the extra ``account_check`` of an account.

    :param checked_on: today by default.
    :param found: findings in place of the dialect's; None for one that could not be told.
    """
    all_found = {**findings_of(Dialect.of(dialect), codes), **found}
    return AccountFindings(
        account,
        checked_on or datetime.now(UTC).date(),
        patience,
        {name: value for name, value in all_found.items() if value is not None},
    ).as_json()


def days_ago(days: float) -> datetime:
    """Return a moment in the past, UTC, on a whole second."""
    return (datetime.now(UTC) - timedelta(days=days)).replace(microsecond=0)


def text_of(moment: datetime) -> str:
    """Write a moment as LeadSquared does."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
