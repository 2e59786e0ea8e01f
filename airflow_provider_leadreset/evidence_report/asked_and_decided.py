"""What a run was asked for, and who decided: one value for all of its tasks, or each with the tasks that have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import pendulum

from airflow_provider_leadreset.evidence_report.run_facts import PlanFacts, RunFacts
from airflow_provider_leadreset.evidence_report.sent_and_copied import Copied
from airflow_provider_leadreset.evidence_report.try_facts import MOST_TEXT, TryFacts
from airflow_provider_leadreset.evidence_report.words import MOST_VALUES, distinct, leads, number, records
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.safety.check_in_force import CheckInForce
from airflow_provider_leadreset.leadsquared.text import pluralize, scrubbed

MOST_TASKS = 3
"""Tasks of which it is said how many leads each was asked for; of more, how many in all."""


_COMPARED = (
    "Compared were the name under which the run was started, and each name, id and e-mail address that the approval "
    "gives of who approved, without regard to letter case."
)


class Fact(NamedTuple):
    """A heading, and its values: one, or several where tasks differ."""

    name: str
    values: list[str]


class Decision(NamedTuple):
    """Who did what, what is said of it, and when; None where nothing tells."""

    did: str
    who: str
    said: str = ""
    at: datetime | None = None


def facts_of(run: RunFacts, zone: str) -> list[Fact]:
    """Return what a run was asked for, and what ran it; what nothing tells of is left out.

    :param zone: the DAG's time zone; empty for UTC alone.
    """
    tries, plans = run.tries, run.plans
    both: Sequence[PlanFacts | TryFacts] = (*plans, *tries)
    planned = [(one.task, f"{records(one.counts)} of {leads(one.leads)}") for one in plans]
    unfinished = [
        (task.name, f"{name} was never finished and counts for nothing")
        for task in run.tasks
        for name in task.unfinished
    ]
    unplanned = [(task.name, said) for task in run.tasks for said in task.unplanned]
    names = {one.account[:2]: one.account.name for one in both if one.account.name}
    dated = _dated(run)
    window = "Created" if all(check.says_created(one.selectors) for one, check in dated) else "In the window"
    found = [
        Fact("Account", distinct((one.task, one.account.describe(names)) for one in both)),
        Fact("Leads", _leads_asked_for(run)),
        Fact("Records", distinct((one.task, one.what) for one in both)),
        Fact(window, _periods(both, zone)),
        Fact("Deciding date", distinct((one.task, _deciding(one, check)) for one, check in dated)),
        Fact("Sent as", distinct((one.task, one.sent_as) for one in tries)),
        Fact("Plan", distinct(planned + unfinished + unplanned)),
        Fact("Reason given", distinct((one.task, one.reason or "none") for one in tries)),
        Fact("Copies", _copies(run)),
        Fact("Owner's rules", distinct((one.task, one.rules) for one in tries)),
        Fact("Tries", distinct((task.name, "; then ".join(task.sent.tries())) for task in run.tasks)),
        Fact("Ran on", distinct((one.task, one.ran_by) for one in tries)),
    ]
    return [fact for fact in found if fact.values]


def decisions_of(run: RunFacts) -> list[Decision]:
    """Return who started a run, who approved it, and whose keys it used."""
    tries = run.tries
    if not tries:
        return []
    started = distinct((one.task, one.trigger) for one in tries) or ["not told by Airflow"]
    found = [Decision("Started the run", who) for who in started]
    approvals = dict.fromkeys(approval for one in tries for approval in one.approvals)
    found += [
        Decision("Approved", one.who or "not named", one.said, one.at)
        for one in list(approvals)[:MOST_VALUES]
    ]
    if not approvals:
        found.append(Decision("Approved", "nobody", "no approval is in the evidence"))
    keys = distinct((one.task, one.keys_user or "not named") for one in tries)
    return [*found, *(Decision("Keys of", who, "a user of LeadSquared") for who in keys)]


def one_or_two_persons(run: RunFacts) -> str:
    """Return in words whether who approved also started the run; nothing where nobody approved."""
    approvals = [approval for one in run.tries for approval in one.approvals]
    one_approver = len({one.who for one in approvals}) == 1 and not any(
        one.may_be_several for one in approvals
    )
    said = {one.same_person for one in run.tries if one.approvals}
    if not said:
        return ""
    if True in said:
        alone = "Who approved also started the run: one person alone decided."
        return f"{alone if one_approver else 'One of those who approved also started the run.'} {_COMPARED}"
    if said == {False}:
        decided = "two persons decided" if one_approver else "who started it did not approve it"
        return f"Who approved goes by another name than who started the run: by that, {decided}. {_COMPARED}"
    return (
        "Whether who approved also started the run is not known: Airflow did not tell who started it, or the approval "
        "not who gave it, or not of each."
    )


def _dated(run: RunFacts) -> list[tuple[PlanFacts | TryFacts, CheckInForce]]:
    """Return each plan and try with the account check that was in force for it."""
    known = {one.check.checksum: one.check for one in run.tries}
    return [
        *((plan, CheckInForce.of_plan(plan.checksum, known)) for plan in run.plans),
        *((one, one.check) for one in run.tries),
    ]


def _deciding(one: PlanFacts | TryFacts, check: CheckInForce) -> str:
    return scrubbed(check.describe(one.selectors), MOST_TEXT)


def _leads_asked_for(run: RunFacts) -> list[str]:
    resets = [task for task in run.tasks if task.tries]
    if len(resets) > MOST_TASKS:
        return [f"{number(sum(task.tries[-1].leads for task in resets))} in {number(len(resets))} tasks"]
    told = []
    for task in resets:
        last = task.tries[-1]
        excluded = f", {number(last.excluded)} of them excluded" if last.excluded else ""
        told.append(f"{number(last.leads)}{excluded}{f' ({task.name})' if len(resets) > 1 else ''}")
    return told


def _periods(both: Sequence[PlanFacts | TryFacts], zone: str) -> list[str]:
    told = [(one.task, window) for one in both if (window := one.window)]
    if len({window.text for _, window in told}) == 1:
        zones = [zone, "UTC"] if zone else ["UTC"]
        return [_period(told[0][1], name) for name in zones]
    return distinct((task, _period(window, "UTC")) for task, window in told)


def _period(window: Window, zone: str) -> str:
    start, end = (moment.astimezone(pendulum.timezone(zone)) for moment in (window.start, window.end))
    return f"from {start:%Y-%m-%d %H:%M:%S} to before {end:%Y-%m-%d %H:%M:%S} {zone}"


def _describe(copied: Copied) -> str:
    return f"{records(dict(sorted(copied.kinds.items())))}, in {pluralize(copied.parts, 'closed part')}"


def _copies(run: RunFacts) -> list[str]:
    if not run.tries:
        return []
    told = distinct((task.name, _describe(task.copied)) for task in run.tasks if task.copied.parts)
    if removed := sum(task.removed for task in run.tasks):
        told.append(f"{pluralize(removed, 'part')} written once, removed since")
    return told or ["none is there" if any(one.archive for one in run.tries) else "none was asked for"]
