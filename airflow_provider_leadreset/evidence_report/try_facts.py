"""What the request and the end of one try say, as values: cleaned and limited, since others may have written them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, get_args

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import (
    KeysUser,
    OutcomeName,
    Request,
)
from airflow_provider_leadreset.leadsquared.journal.schema_results import Summary
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.safety.approval_text import (
    MOST_NAME,
    describe_person,
    may_be_several,
)
from airflow_provider_leadreset.leadsquared.safety.check_in_force import CheckInForce
from airflow_provider_leadreset.leadsquared.safety.ticket_moments import first_moment
from airflow_provider_leadreset.leadsquared.text import quoted, scrubbed

MOST_TEXT = 1000
"""Characters of a reason, a rule or a ticket that are shown."""

ENDED_BY_ITSELF = "by itself, with a summary"
"""How most tries end."""

MOST_APPROVALS = 20
"""Answers of one approval that are shown."""


class AccountFacts(NamedTuple):
    """An account: its API host, and its own code and name; empty where they are not known."""

    host: str
    code: str = ""
    name: str = ""

    @classmethod
    def of(cls, host: object, code: object, name: object = None) -> AccountFacts:
        """Return it, cleaned and limited."""
        told = (host, code, name)
        return cls(*("" if one is None else scrubbed(str(one), MOST_NAME) for one in told))

    def describe(self, names: Mapping[tuple[str, str], str]) -> str:
        """Return it in words.

        :param names: by host and code: a plan does not keep the account's name, and a request does.
        """
        name = self.name or names.get((self.host, self.code), "")
        told = f"{name or 'account'} (code {self.code})" if self.code else name
        return scrubbed(f"{told} at {self.host}" if told else self.host, MOST_NAME)


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """One answer to the question whether to reset.

    :param at: when it was given, as it says; None where it says nothing, or no moment with an offset.
    :param said: the answer itself, or what a ticket says.
    :param may_be_several: whether it may be more than one person.
    """

    who: str
    said: str
    at: datetime | None
    may_be_several: bool = False


@dataclass(slots=True)
class TryFacts:
    """What one process of one try was asked for, and how it ended.

    :param process: which one of several processes of this try, in the order in which they came: ``2 of 2``; else empty.
    :param selectors: the same as :attr:`what`; None where they cannot be read.
    :param same_person: whether who approved also started the run; None where that is not known.
    :param ended: how, in words.
    :param whole: whether it ended by itself and could say so.
    :param digest: SHA-256 of its summary, which lists the digests of all files before it; empty without one.
    :param outcomes: leads per outcome over all tries that it continued, as its summary says; empty without one.
    """

    task: str
    number: int
    asked_at: datetime | None
    account: AccountFacts
    keys_user: str
    trigger: str
    leads: int
    excluded: int
    what: str
    selectors: Selectors | None
    check: CheckInForce
    window: Window | None
    sent_as: str
    plan_digest: str
    archive: bool
    reason: str
    rules: str
    approvals: list[ApprovalFacts]
    same_person: bool | None
    shown: str
    ran_by: str
    parts: int
    process: str = ""
    ended: str = "without a summary: it was ended from outside, could not write, or is still at work"
    whole: bool = False
    digest: str = ""
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its number, and which process of that try it is where there are several."""
        return f"{self.number}, process {self.process}" if self.process else str(self.number)

    def end(self, summary: Summary, digest: str) -> None:
        """Record what its summary says."""
        self.whole, self.digest = True, digest
        self.outcomes = {name: getattr(summary, name) for name in get_args(OutcomeName)}
        self.ended = ENDED_BY_ITSELF
        if summary.stopped_because:
            self.ended = f"before all leads were reached: {scrubbed(summary.stopped_because, MOST_TEXT)}"

    @classmethod
    def of(cls, task: str, number: int, asked: Request, *, parts: int, process: str = "") -> TryFacts:
        """Return what a request says.

        :param parts: how many parts of the journal belong to it.
        :param process: which one of several of this try; empty for the only one.
        """
        run_by = asked.trigger.user and f"{asked.trigger.user} ({asked.trigger.run_type or 'run'})"
        asked_at, selectors = moment_of(asked.asked_at), _selectors(asked.selectors)
        return cls(
            task=task,
            number=number,
            asked_at=asked_at,
            account=AccountFacts.of(asked.account.host, asked.account.code, asked.account.name),
            keys_user=scrubbed(describe_user(asked.keys_user), MOST_NAME),
            trigger=scrubbed(run_by or asked.trigger.run_type or "", MOST_NAME),
            leads=asked.leads,
            excluded=asked.excluded,
            what=scrubbed(selectors.describe(), MOST_TEXT) if selectors else _json(asked.selectors),
            selectors=selectors,
            check=CheckInForce.of_request(asked.account_check, asked_at),
            window=_window(asked.window),
            sent_as=scrubbed(f"{asked.sent.FromDate} to {asked.sent.ToDate} UTC", MOST_NAME),
            plan_digest=asked.plan.digest if asked.plan else "",
            archive=asked.archive,
            reason=scrubbed(asked.reason or "", MOST_TEXT),
            rules=_words(asked.rules),
            approvals=list(_approvals(asked.approval))[:MOST_APPROVALS],
            same_person=asked.approver_is_trigger,
            shown=scrubbed(asked.shown.name, MOST_NAME) if asked.shown else "",
            ran_by=_ran_by(asked),
            parts=parts,
            process=process,
        )


def moment_of(text: object) -> datetime | None:
    """Return the moment that a text names; None for one without an offset, which may be of any time zone."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment.astimezone(UTC) if moment and moment.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None


def _approvals(approval: object) -> Iterable[ApprovalFacts]:
    answers = approval if isinstance(approval, list) else [approval]
    for answer in answers[: MOST_APPROVALS + 1]:
        if answer is None:
            continue
        if not isinstance(answer, dict):
            yield ApprovalFacts("", _json(answer), None)
        elif isinstance(answer.get("chosen_options"), list):
            chosen = scrubbed(", ".join(map(str, answer["chosen_options"])), MOST_TEXT)
            yield ApprovalFacts(
                describe_person(answer.get("responded_by_user")),
                chosen,
                moment_of(answer.get("responded_at")),
            )
        else:
            by, (said_under, at) = answer.get("by"), first_moment(answer)
            rest = {name: value for name, value in answer.items() if name not in {"by", said_under}}
            yield ApprovalFacts(
                describe_person(by), _words(rest), moment_of(at and at.isoformat()), may_be_several(by)
            )


def describe_user(user: KeysUser) -> str:
    """Return a user in words; empty where neither name nor e-mail address is known."""
    return f"{user.name} <{user.mail}>" if user.name and user.mail else user.name or user.mail or ""


def _selectors(given: Mapping[str, object]) -> Selectors | None:
    try:
        return parse_selectors(**given)
    except (InputError, TypeError):  # of another version, or changed
        return None


def _window(text: str) -> Window | None:
    try:
        return parse_window(text)
    except InputError:
        return None


def _ran_by(asked: Request) -> str:
    versions, code = asked.versions, asked.code
    told = [
        f"airflow-provider-leadreset {versions.package}",
        f"Airflow {versions.airflow}",
        f"Python {versions.python}",
    ]
    if versions.time_zones:
        told.append(f"time zones {versions.time_zones}")
    if code.dag_version:
        told.append(f"DAG version {code.dag_version}")
    if code.bundle:
        told.append(f"DAG bundle {code.bundle} {code.bundle_version or 'without a version'}")
    return scrubbed(", ".join(told), MOST_TEXT)


def _words(told: Mapping[str, object]) -> str:
    """Return what a mapping says, such as ``approved: true; ticket: CRM-17``."""
    return scrubbed(
        "; ".join(
            f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else _plain(value)}"
            for name, value in told.items()
        ),
        MOST_TEXT,
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    try:
        return scrubbed(json.dumps(value, ensure_ascii=False), MOST_TEXT)
    except (ValueError, RecursionError):
        return scrubbed(quoted(value), MOST_TEXT)
