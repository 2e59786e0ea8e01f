"""The account check as a whole: which questions are put to the account, in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import (
    CheckedQuestion,
    findings,
    not_told,
)
from airflow_provider_leadreset.leadsquared.account_check.audits_question import (
    AuditsQuestion,
    audits_not_asked,
    value_of_lead,
)
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import (
    CheckedActivity,
    CheckedKind,
    CheckedNote,
    CheckedTask,
)
from airflow_provider_leadreset.leadsquared.account_check.last_control import take_all_away, what_stays
from airflow_provider_leadreset.leadsquared.account_check.movers_asked import ask_what_moves
from airflow_provider_leadreset.leadsquared.account_check.own_lead import FIRST_NAME, OwnLead
from airflow_provider_leadreset.leadsquared.account_check.queue_question import ask_time_in_queue
from airflow_provider_leadreset.leadsquared.account_check.resets_asked import ask_what_resets_take
from airflow_provider_leadreset.leadsquared.account_check.shape_questions import (
    lead_id_name,
    mirror_rows,
    notes_there,
)
from airflow_provider_leadreset.leadsquared.account_check.trials import TrialRunner
from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.records.catalog import (
    SYSTEM_EVENTS,
    read_activity_types,
    task_types,
)
from airflow_provider_leadreset.leadsquared.text import presentable, quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock
    from airflow_provider_leadreset.leadsquared.account_check.check_options import CheckOptions
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient


@dataclass(frozen=True, slots=True)
class AccountCheckResult:
    """What the check found.

    :param account: the account's own code; empty where it does not tell it.
    :param host: its API host.
    :param lead: the throw-away lead, which stays.
    :param checked_on: the day it ended, UTC.
    :param patience: seconds for which a record that stayed was watched at least.
    """

    account: str
    host: str
    lead: str
    checked_on: date
    patience: float
    questions: Sequence[CheckedQuestion] = field(default=())

    @property
    def account_check(self) -> dict[str, object]:
        """What goes into the connection's extra of that name."""
        found = findings(self.questions)
        return AccountFindings(self.account, self.checked_on, self.patience, found).as_json()

    def as_json(self) -> dict[str, object]:
        """Return the one object for programs."""
        return {
            "account_check": self.account_check,
            "questions": [one.as_json() for one in self.questions],
        }


class AccountCheck:
    """One check of one account.

    :param client: the account, at a fifth of its pace.
    :param options: what may be done.
    :param clock: injected in tests.
    :param say: told what is being done, for people.
    """

    def __init__(
        self,
        client: LeadSquaredClient,
        options: CheckOptions,
        clock: CheckClock,
        say: Callable[[str], None],
    ) -> None:
        self._client, self._options, self._clock, self._say = client, options, clock, say
        self._questions: list[CheckedQuestion] = []
        self._codes: dict[int, bool | None] | None = None

    def run(self) -> AccountCheckResult:
        """Put the questions to the account.

        :raises InputError: an option names what the account does not have, or the lead that is given holds records.
        :raises LeadSquaredError: the account cannot be asked at all.
        """
        client, options = self._client, self._options
        user = client.current_user()
        account = presentable(str(user.get("OrgShortCode") or ""), client.redact, 80)
        owner_id = str(user.get("Id") or "").strip().lower()
        types = self._types()
        if options.owner is not None and options.owner == owner_id:
            raise InputError(f"owner is {quoted(options.owner)}, the keys' own user: name another one")
        lead = self._lead(owner_id)
        self._say(f"lead {lead.id} of account {account or 'without a code'} at {client.host}")
        runner = TrialRunner(lead, [], self._clock, options.patience, self._say)
        audits: list[AuditsQuestion] = []
        try:
            self._ask(runner, audits, lead, owner_id, types)
        except BaseException:
            self._say(what_stays(runner, audits))
            raise
        return AccountCheckResult(
            account, client.host, lead.id, self._clock.now().date(), options.patience, tuple(self._questions)
        )

    def _ask(
        self,
        runner: TrialRunner,
        audits: list[AuditsQuestion],
        lead: OwnLead,
        owner_id: str,
        types: tuple[str, str] | None,
    ) -> None:
        """Put all questions; whatever ends it, the runner and the audits know what stays."""
        client = self._client
        has_notes, said = notes_there(client, lead.id)
        self._questions += said
        runner.kinds = self._kinds(lead, owner_id, types, has_notes=has_notes)
        audits += self._audits(lead, runner)
        self._questions += ask_time_in_queue(runner)
        works = self._questions[-1].found is not None
        # Not at once: reads may show a new lead late.
        self._questions.append(lead_id_name(client, lead.id))
        if works:
            self._questions += ask_what_resets_take(client, runner, self._codes)
        for audit in audits:
            self._questions += audit.ask()
        if works:
            self._questions += ask_what_moves(client, runner, audits)
            self._questions = take_all_away(runner, self._questions)
        activity = next((kind for kind in runner.kinds if isinstance(kind, CheckedActivity)), None)
        self._questions += mirror_rows(activity, runner)
        self._questions += [
            not_told(
                "unknown_lead",
                "What does a reset of an unknown lead do?",
                "not asked: it would take a write that names another lead than the check's own",
            ),
            not_told(
                "merged_lead",
                "What becomes of the records of a lead that is merged with another?",
                "not asked: no call is known that merges leads",
            ),
        ]

    # -- what is there to ask of ---------------------------------------------------------------------------

    def _types(self) -> tuple[str, str] | None:
        """Return id and name of the task type that was named, after the event codes were looked at too."""
        options = self._options
        try:
            self._codes = {code: one.is_custom for code, one in read_activity_types(self._client).items()}
        except LeadSquaredError as error:
            self._say(f"the list of activity types cannot be read: {error.reason}")
        for code in options.activity_events:
            custom = (self._codes or {}).get(code, None if self._codes is None else False)
            if custom is False or (custom is None and code in SYSTEM_EVENTS):
                raise InputError(
                    f"activity_event is {code}, which is no custom activity of the account: name one of its own"
                )
        if options.task_type is None:
            return None
        wanted = options.task_type.strip().lower()
        found = [
            (type_id.lower(), name)
            for type_id, name in task_types(self._client).items()
            if wanted in (type_id.lower(), name.strip().lower())
        ]
        if len(found) != 1:
            raise InputError(
                f"task_type is {quoted(options.task_type)}, which {len(found)} task types of the account are called: "
                "give the name or the id of one"
            )
        return found[0]

    def _lead(self, owner_id: str) -> OwnLead:
        if self._options.lead is None:
            try:
                return OwnLead.create(self._client, owner_id)
            except BaseException as error:
                if not isinstance(error, LeadSquaredError) or error.in_doubt:
                    self._say(f"a lead {FIRST_NAME!r} may have been made, and holds nothing")
                raise
        notes, _ = notes_there(self._client, self._options.lead)
        return OwnLead.given(self._client, self._options.lead, notes=notes)

    def _kinds(
        self, lead: OwnLead, owner_id: str, task_type: tuple[str, str] | None, *, has_notes: bool
    ) -> list[CheckedKind]:
        client, options = self._client, self._options
        kinds: list[CheckedKind] = []
        codes = options.activity_events
        kinds += [CheckedActivity(client, lead, code, codes) for code in codes]
        if task_type is not None and owner_id:
            kinds.append(CheckedTask(client, lead, *task_type, owner_id))
        if has_notes:
            kinds.append(CheckedNote(client, lead))
        return kinds

    def _audits(self, lead: OwnLead, runner: TrialRunner) -> list[AuditsQuestion]:
        """Return the questions about stage and owner, where others than the lead's were named."""
        found = []
        for name, audit, attribute, value in (
            ("stage", "StageChange", "ProspectStage", self._options.stage),
            ("owner", "OwnerChange", "OwnerId", self._options.owner),
        ):
            if value is None:
                self._questions += audits_not_asked(
                    name, audit, f"not asked: name another {name} with --{name}"
                )
                continue
            before = value_of_lead(self._client, runner, attribute)
            if before.lower() == value.lower():
                raise InputError(f"{name} is {quoted(value)}, which the lead has already: name another one")
            found.append(AuditsQuestion(self._client, lead, runner, name, audit, attribute, (before, value)))
        return found
