"""What the account check should find in each dialect, and whether what it told is so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_leadreset.emulator import Dialect
from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
from support.simulated_account import CODE

KINDS = ("activity", "task", "note")
OTHER_MOVERS = ("task", "note", "stage", "owner", "reset")

_OF_TASKS = {
    "task_id_name",
    "owners_task_id_name",
    "task_date",
    "task_from_second",
    "task_to_second",
    "unknown_task_type",
    "last_modified_task",
}


def truth(dialect: Dialect, codes: Iterable[int] = (CODE,)) -> dict[str, Any]:
    """Return every finding that is right in a dialect. One that is not in it must not be told.

    :param codes: event codes that are asked about.
    """
    right: dict[str, Any] = {
        "notes_api": dialect.notes_api,
        "lead_id_name": dialect.lead_id_key,
        "fractions_read": dialect.fractions_shown and dialect.fractions_kept,
        "task_id_name": "TaskID" if dialect.task_id_key == "documented" else dialect.task_id_key,
        "owners_task_id_name": "UserTaskId" if dialect.task_id_key == "documented" else dialect.task_id_key,
        "unknown_event_code": dialect.unknown_types,
        "unknown_task_type": dialect.unknown_types,
        "system_event_code": dialect.system_events,
        "stage_audits": "shown" if dialect.audits_shown else "not shown",
        "owner_audits": "shown" if dialect.audits_shown else "not shown",
        "mirror_rows": dialect.mirror_rows,
        "last_modified_zone": "UTC" if dialect.last_modified_zone == "UTC" else "not UTC",
    }
    if dialect.audits_shown:
        right |= {"stage_audits_reset": "goes", "owner_audits_reset": "goes"}
    if dialect.mirror_rows:
        right["mirror_rows_kept"] = dialect.mirrors_kept
    # Where what was given as ActivityDateTime becomes the CreatedOn, there are no two dates to be told apart.
    one_date = dialect.activity_time_sets == "CreatedOn" and dialect.activity_date == "ActivityDateTime"
    right |= {
        "activity_date": "CreatedOn" if one_date else dialect.activity_date,
        "task_date": dialect.task_date,
    }
    right["activity_codes"] = ", ".join(str(code) for code in codes)
    if dialect.notes_api:
        right |= {"notes_name": dialect.notes_key, "note_date": dialect.note_date}
    for kind in KINDS:
        if kind != "note" or dialect.notes_api:
            right |= _bounds(kind, dialect)
    for name in ("activity", "note"):
        if name == "activity" or dialect.notes_api:
            right |= _paging(name, dialect)
    moves = {mover: mover in dialect.moves_last_modified for mover in OTHER_MOVERS}
    for code in codes:
        moves[f"activity_{code}"] = (
            "activity" in dialect.moves_last_modified and code not in dialect.still_events
        )
    for name, does in moves.items():
        right[f"last_modified_{name}"] = "moves" if does else "does not move"
    return right


def _bounds(kind: str, dialect: Dialect) -> dict[str, Any]:
    dropped = dialect.fractions == "dropped"
    if getattr(dialect, f"{kind}_date") == "DueDate" or not (
        dialect.fractions_kept and dialect.fractions_shown
    ):
        # A DueDate has no fractions, and the check tries records whose CreatedOn decides.
        return {}
    return {
        f"{kind}_from_second": "goes" if not dropped or dialect.from_included else "stays",
        f"{kind}_to_second": "goes" if dropped and dialect.to_included else "stays",
        f"{kind}_fractions": dialect.fractions,
    }


def _paging(name: str, dialect: Dialect) -> dict[str, Any]:
    counts = dialect.counts if name == "activity" or dialect.note_counts else "none"
    return {
        f"{name}_page_index": dialect.paging != "offset",
        f"{name}_offset": "no effect" if dialect.paging == "page_index" else dialect.offset_means,
        f"{name}_count": counts,
        f"{name}_beyond_the_end": dialect.beyond_the_end,
    }


def untold(dialect: Dialect) -> set[str]:
    """Return the questions that cannot be told of an account that behaves in one odd way at most."""
    kinds = [kind for kind in KINDS if kind != "note" or dialect.notes_api]
    bounds = {f"{kind}_{bound}_second" for kind in kinds for bound in ("from", "to")}
    rules = (
        # They would take a write that names another lead, or a call that is not known.
        (True, {"unknown_lead", "merged_lead"}),
        # Compared or dropped, FromDate's second goes whole and ToDate's stays.
        (dialect.fractions == "compared", {f"{kind}_fractions" for kind in kinds}),
        (not (dialect.fractions_kept and dialect.fractions_shown), bounds),
        (dialect.task_date == "DueDate", {name for name in bounds if name.startswith("task_")}),
        (not dialect.update_calls, {"activity_codes", *(f"{kind}_date" for kind in kinds)}),
        (not dialect.mirror_rows, {"mirror_rows_kept"}),
        (not dialect.audits_shown, {"stage_audits_reset", "owner_audits_reset"}),
        (not dialect.notes_api, {"notes_name"}),
        (dialect.task_cap == 25, _OF_TASKS),
        (
            bool(dialect.automation_every) or not dialect.moves_last_modified,
            {f"last_modified_{name}" for name in (f"activity_{CODE}", *OTHER_MOVERS, "zone", "lag")},
        ),
    )
    return {name for holds, names in rules if holds for name in names}


@dataclass(frozen=True)
class Told:
    """How the questions of one check were answered, by their names; what is said of a wrong one is beside its name."""

    right: tuple[str, ...]
    not_told: tuple[str, ...]
    wrong: Mapping[str, str]


def judge(
    result: AccountCheckResult, dialect: Dialect, queue_delay: float, codes: Iterable[int] = (CODE,)
) -> Told:
    """Hold what was told to the truth."""
    right = truth(dialect, codes)
    told, not_told, wrong = [], [], {}
    for one in result.questions:
        if one.found is None:
            not_told.append(one.name)
            continue
        if one.name == "queue_seconds":
            fits = queue_delay <= float(one.found) + 10 and float(one.found) <= 2 * queue_delay + 4 * (
                dialect.replica_lag + 30
            )
        elif one.name == "last_modified_lag":
            fits = float(one.found) >= dialect.last_modified_lag - 1
        else:
            fits = one.name in right and right[one.name] == one.found
        if fits:
            told.append(one.name)
        else:
            wrong[one.name] = f"told {one.found!r}, is {right.get(one.name, queue_delay)!r}"
    return Told(tuple(told), tuple(not_told), wrong)


SINGLES: list[dict[str, Any]] = [
    {},
    *({"task_id_key": value} for value in ("TaskID", "UserTaskId")),
    {"lead_id_key": "ProspectId"},
    {"notes_key": "Notes"},
    {"mirror_rows": True},
    {"mirror_rows": True, "mirrors_kept": True},
    {"audits_shown": False},
    *({"paging": value} for value in ("offset", "page_index")),
    *({"offset_means": value} for value in ("pages from 0", "rows")),
    {"paging": "offset", "offset_means": "rows"},
    {"page_cap": 25},
    {"task_cap": 25},
    *({"beyond_the_end": value} for value in ("last page again", "error")),
    *({"counts": value} for value in ("page", "none")),
    {"note_counts": True},
    {"notes_api": False},
    {"types_api": False},
    {"event_types_shown": False},
    {"key_check": "first and last name"},
    {"unknown_lead": "ignored"},
    *({"unknown_types": value} for value in ("refused", "in vain")),
    *({"system_events": value} for value in ("refused", "in vain")),
    {"lost_resets": "one in ten"},
    *({"replica_lag": value} for value in (3, 45)),
    *({"activity_date": value} for value in ("ModifiedOn", "ActivityDateTime")),
    *({"task_date": value} for value in ("DueDate", "ModifiedOn")),
    {"note_date": "ModifiedOn"},
    {"audit_date": "ModifiedOn"},
    {"from_included": False},
    {"to_included": False},
    {"fractions": "dropped"},
    {"fractions": "dropped", "from_included": False},
    {"fractions": "dropped", "from_included": False, "to_included": False},
    {"fractions_kept": False},
    {"fractions_shown": False},
    {"activity_time_sets": "CreatedOn"},
    {"update_calls": False},
    {"moves_last_modified": ["activity", "note", "task", "stage", "owner", "reset"]},
    {"moves_last_modified": ["note"]},
    {"moves_last_modified": []},
    {"still_events": [CODE]},
    *({"last_modified_lag": value} for value in (20, 200)),
    {"last_modified_zone": "Asia/Kolkata"},
    *({"automation_every": value} for value in (45, 80, 130, 400)),
    {"errors_as": "200 failed"},
    {"throttle_status": "200"},
    {"queue_delay": 3600.0},
]
"""Each way in which an account may behave, as arguments of the simulated account."""


LOSSES = [
    {"lost_resets": "one in ten", "losses": f"losses {number}", **more}
    for number in range(10)
    for more in ({}, {"unknown_types": "in vain"}, {"fractions": "dropped", "from_included": False})
]
"""Resets that get lost, each time others."""


DRIFTS: list[dict[str, Any]] = [
    {"automation_every": every, **more}
    for every in (50, 65, 100, 170, 240, 300, 330, 500, 610, 700, 900, 1300, 1800, 3600)
    for more in (
        {},
        {"moves_last_modified": []},
        {"moves_last_modified": ["note"]},
        {"last_modified_lag": 60, "moves_last_modified": ["task"]},
    )
]
"""Automations that touch the lead at moments of their own, where little or nothing else moves LeadLastModifiedOn."""


def pairs() -> Iterator[dict[str, Any]]:
    """Return every two ways that do not say different things of the same."""
    for number, one in enumerate(SINGLES[1:], 1):
        for other in SINGLES[number + 1 :]:
            if not one.keys() & other.keys():
                yield {**one, **other}
