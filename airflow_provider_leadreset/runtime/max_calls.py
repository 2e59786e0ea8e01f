"""``max_calls``: what a task needs at least, and the refusal of one that could not be done with so many calls.

It guards the day's quota, which an account shares with all that call it. So it counts what a try spends, repetitions
included, and a task that reaches it is not retried: each retry would spend as many again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.safety.archive import MOST_PART_LEADS, reads_per_lead
from airflow_provider_leadreset.leadsquared.safety.unmodified import SPOT_CHECKS
from airflow_provider_leadreset.leadsquared.text import pluralize

LEADS_LOOKED_UP = 1000
"""Leads that one call finds to be known to the account or not."""


@dataclass(frozen=True)
class Need:
    """The calls that a task makes at least, with every read in one page and nothing repeated.

    :param leads: how many leads.
    :param per_lead: for each of them.
    :param once: for all of them together.
    :param looked_up: to find out which leads were not modified, and to read some of them.
    """

    leads: int
    per_lead: int
    once: int
    looked_up: int = 0

    @property
    def calls(self) -> int:
        """All of them."""
        return self.for_leads + self.once

    @property
    def for_leads(self) -> int:
        """Those that follow once account and types are known."""
        return self.leads * self.per_lead + self.looked_up


def need_of_preview(
    leads: int, selectors: Selectors, *, asks_account: bool, names: bool = False, skips: bool = False
) -> Need:
    """Return what counting needs: each lead's reads, the look-up of the leads, the types of event codes.

    :param asks_account: whether the account is asked for, under which a plan is kept.
    :param names: whether the leads' names are asked for.
    :param skips: whether leads that were not modified are left out.
    """
    reads, look_up = reads_per_lead(selectors), ceil(leads / LEADS_LOOKED_UP)
    once = bool(selectors.activity_event_list) + asks_account + names
    if skips:
        return _least_where_skipped(leads, selectors, reads, once, look_up=look_up)
    return Need(leads, reads, once + look_up)


def _least_where_skipped(
    leads: int, selectors: Selectors, per_lead: int, once: int, *, look_up: int = 0
) -> Need:
    """Return the lesser need: no lead can be left out, or all are.

    :param look_up: calls that find the leads which are not left out.
    """
    asked = ceil(leads / LEADS_LOOKED_UP)
    none = Need(leads, per_lead, once + look_up, asked)
    read = min(leads, SPOT_CHECKS) * reads_per_lead(selectors) + bool(selectors.task_type_list)
    all_of_them = Need(leads, 0, once, asked + read)
    return min(none, all_of_them, key=lambda need: need.calls)


def need_of_reset(
    leads: int,
    selectors: Selectors,
    *,
    reads_first: bool,
    counts_first: bool,
    planned: bool,
    skips: bool = False,
    asks_unchanged: bool = False,
) -> Need:
    """Return what a reset needs.

    :param reads_first: whether each lead is read before its reset, for a plan or an archive.
    :param counts_first: whether all are counted before the first reset, for ``max_records``.
    :param planned: whether a plan says what goes: then the account's types are not asked for.
    :param skips: whether leads that were not modified are left out.
    :param asks_unchanged: whether leads that are as the plan saw them are not read.
    """
    reads = reads_per_lead(selectors)
    per_lead = 1 + reads * (reads_first + counts_first)
    once = 1 + (not planned and bool(selectors.activity_event_list))  # the account, and its types
    look_up = ceil(leads / LEADS_LOOKED_UP) if counts_first else 0
    look_up += ceil(leads / MOST_PART_LEADS) if asks_unchanged else 0
    if skips:
        return _least_where_skipped(leads, selectors, per_lead, once, look_up=look_up)
    return Need(leads, per_lead, once + look_up)


def refuse_if_too_few(max_calls: int, need: Need, *, read: int = 0, called: bool = False) -> None:
    """Refuse what cannot be done with so many calls.

    :param read: calls that it took to read the members of a list: they come before all others.
    :param called: whether other calls were made, of those for all leads together.
    :raises InputError: naming the need, and what to change.
    """
    calls = need.calls + read
    if calls <= max_calls:
        return
    skipped = f", {need.looked_up} to find those that were not modified" if need.looked_up else ""
    listed = f", {read} to read the list" if read else ""
    so_far = "no lead was touched" if read or called else "none was made"
    raise InputError(
        f"max_calls is {max_calls}, and {pluralize(calls, 'call')} at least are needed for "
        f"{pluralize(need.leads, 'lead')} ({need.per_lead} each, {need.once} for all together{skipped}{listed}): "
        f"{so_far}. Set max_calls={calls} or more, or give fewer leads or "
        "kinds of records; a plan, archive=True and max_records each read all leads once more"
    )
