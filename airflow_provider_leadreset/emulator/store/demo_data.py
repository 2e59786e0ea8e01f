"""Demo data: leads as they look after a team has tried out an import on a live account."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from airflow_provider_leadreset.emulator.store.crm import Crm

EVENT_CODES = {166: "Test call", 167: "Site visit", 201: "Demo booked"}
"""The custom activities of the demo, by event code."""

TASK_TYPES = {
    "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01": "Follow-up call",
    "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602": "Site meeting",
}
"""The task types of the demo, by id."""

LIST_NAME = "Test leads"

_SYSTEM_CODES = (21, 22)
_DAYS = 90
_FIRST = ("Asha", "Ravi", "Maya", "Karan", "Leela", "Dev", "Nina", "Omar", "Tara", "Ishan", "Zoya", "Vikram")
_LAST = ("Nair", "Mehta", "Iyer", "Das", "Kapoor", "Rao", "Sen", "Khan", "Pillai", "Joshi", "Bose")
_STAGES = ("Prospect", "Contacted", "Qualified", "Opportunity")
_OWNERS = ("meera.sales@example.com", "tom.sales@example.com")
_REMARKS = (
    "Imported by the test run",
    "Left a voicemail",
    "Asked for a brochure",
    "Will call back on Monday",
)

# Seconds after midnight UTC of the last and first second of a day in UTC, India and New York (winter time),
# where a window in local time that is off by an hour or a second shows.
_DAY_EDGES = tuple(
    second for midnight in (0, 18 * 3600 + 1800, 5 * 3600) for second in ((midnight - 1) % 86400, midnight)
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What was added."""

    list_id: str
    """A list named "Test leads" with three quarters of the leads."""
    lead_ids: list[str]


def demo_leads(lsq: Crm, n: int = 40, now: datetime | None = None, seed: int = 7) -> Demo:
    """Add ``n`` leads with mixed histories over the 90 days before ``now``.

    The same arguments on an emulator in the same state add the same records, ids included.

    :param lsq: the emulator.
    :param now: an aware datetime; None for the present moment.
    :param seed: seed of the random choices.
    """
    end = (datetime.now(UTC) if now is None else now).astimezone(UTC).replace(microsecond=0)
    rng = random.Random(seed)  # ruff: ignore[suspicious-non-cryptographic-random-usage] - must repeat itself
    for code, name in EVENT_CODES.items():
        lsq.add_activity_type(code, name)
    for type_id, name in TASK_TYPES.items():
        lsq.add_task_type(name, type_id)
    lead_ids = [_add_lead(lsq, rng, number, end) for number in range(1, n + 1)]
    members = [lead_id for number, lead_id in enumerate(lead_ids) if number % 4 != 3]
    return Demo(lsq.add_list(LIST_NAME, members), lead_ids)


def _add_lead(lsq: Crm, rng: random.Random, number: int, end: datetime) -> str:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    start = end - timedelta(days=_DAYS)
    lead_id = lsq.add_lead(
        first_name=first,
        last_name=last,
        email=f"{first}.{last}.{number}@example.com".lower(),
        stage=rng.choice(_STAGES),
        owner=rng.choice(_OWNERS),
        created_on=start - timedelta(days=rng.randrange(1, 300)),
    )

    def moment() -> datetime:
        return start + timedelta(seconds=rng.randrange(_DAYS * 86400))

    for _ in range(rng.randrange(2, 9)):
        lsq.add_activity(lead_id, rng.choice(list(EVENT_CODES)), moment(), note=rng.choice(_REMARKS))
    for edge in rng.sample(_DAY_EDGES, 2):
        # Two days back at the least, so that it is in the past whatever the time of day is.
        day = (end - timedelta(days=rng.randrange(2, 60))).replace(hour=0, minute=0, second=0)
        code = rng.choice(list(EVENT_CODES))
        lsq.add_activity(lead_id, code, day + timedelta(seconds=edge), note="At the edge of a day")
    for _ in range(rng.randrange(1, 4)):
        lsq.add_activity(lead_id, rng.choice(_SYSTEM_CODES), moment(), note="Logged by the telephone system")
    for _ in range(rng.randrange(0, 4)):
        created = moment()
        lsq.add_task(
            lead_id,
            rng.choice(list(TASK_TYPES)),
            created,
            name=rng.choice(("Call back", "Send offer", "Meet on site")),
            due_date=created + timedelta(days=rng.randrange(1, 15)),
            status=rng.choice(("Pending", "Completed")),
        )
    for _ in range(rng.randrange(0, 3)):
        lsq.add_note(lead_id, rng.choice(_REMARKS), moment())
    for old, new in pairwise(_STAGES[: rng.randrange(1, len(_STAGES) + 1)]):
        lsq.add_audit(lead_id, "StageChange", moment(), old=old, new=new)
    if rng.random() < 0.5:
        lsq.add_audit(lead_id, "OwnerChange", moment(), old=_OWNERS[0], new=_OWNERS[1])
    return lead_id
