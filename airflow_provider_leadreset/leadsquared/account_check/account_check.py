"""The account check as a whole: which questions are put to the account, in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

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
from airflow_provider_leadreset.leadsquared.account_check.bounds_question import BoundsQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import (
    CheckedActivity,
    CheckedKind,
    CheckedNote,
    CheckedTask,
)
from airflow_provider_leadreset.leadsquared.account_check.date_question import DateQuestion
from airflow_provider_leadreset.leadsquared.account_check.last_modified_question import (
    TIMES,
    LastModifiedQuestion,
)
from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead
from airflow_provider_leadreset.leadsquared.account_check.paging_question import (
    PagingQuestion,
    activity_pages,
    note_pages,
)
from airflow_provider_leadreset.leadsquared.account_check.shape_questions import (
    fractions_read,
    lead_id_name,
    mirror_rows,
    notes_there,
    task_id_names,
)
from airflow_provider_leadreset.leadsquared.account_check.trials import (
    CALIBRATION,
    Specimen,
    Trial,
    TrialRunner,
    seconds_around,
)
from airflow_provider_leadreset.leadsquared.account_check.unknown_question import (
    UnknownQuestion,
    unknown_event_code,
    with_code,
    with_unknown_type,
)
from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
from airflow_provider_leadreset.leadsquared.errors import (
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.records.catalog import (
    SYSTEM_EVENTS,
    read_activity_types,
    task_types,
)
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.text import presentable, quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock
    from airflow_provider_leadreset.leadsquared.account_check.check_options import CheckOptions
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

FIRST_RESETS = 3
"""How many resets of each kind measure the queue."""
SYSTEM_CODE = 22
"""An outbound call: a code of LeadSquared's own (seen), of which the throw-away lead has no activity."""
_LONG_AGO = timedelta(days=1000)


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
    def account_check(self) -> dict[str, Any]:
        """What goes into the connection's extra of that name."""
        found = findings(self.questions)
        return AccountFindings(self.account, self.checked_on, self.patience, found).as_json()

    def as_json(self) -> dict[str, Any]:
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
        has_notes, said = notes_there(client, lead.id)
        self._questions += said
        kinds = self._kinds(lead, owner_id, types, has_notes=has_notes)
        runner = TrialRunner(lead, kinds, self._clock, options.patience, self._say)
        self._say(f"lead {lead.id} of account {account or 'without a code'} at {client.host}")
        works = self._time_in_queue(runner)
        # Not at once: reads may show a new lead late.
        self._questions.append(lead_id_name(client, lead.id))
        if works:
            self._trials(runner)
        audits = self._audits(lead, runner)
        if works:
            self._last_modified(lead, runner, audits)
            self._clean_up(runner)
        activity = next((kind for kind in kinds if isinstance(kind, CheckedActivity)), None)
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
        return AccountCheckResult(
            account, client.host, lead.id, self._clock.now().date(), options.patience, tuple(self._questions)
        )

    # -- what is there to ask of ---------------------------------------------------------------------------

    def _types(self) -> tuple[str, str] | None:
        """Return id and name of the task type that was named, after the event code was looked at too."""
        options = self._options
        try:
            self._codes = {code: one.is_custom for code, one in read_activity_types(self._client).items()}
        except LeadSquaredError as error:
            self._say(f"the list of activity types cannot be read: {error.reason}")
        code = options.activity_event
        if code is not None:
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
            return OwnLead.create(self._client, owner_id)
        notes, _ = notes_there(self._client, self._options.lead)
        return OwnLead.given(self._client, self._options.lead, notes=notes)

    def _kinds(
        self, lead: OwnLead, owner_id: str, task_type: tuple[str, str] | None, *, has_notes: bool
    ) -> list[CheckedKind]:
        client, options = self._client, self._options
        kinds: list[CheckedKind] = []
        if options.activity_event is not None:
            kinds.append(CheckedActivity(client, lead, options.activity_event))
        if task_type is not None and owner_id:
            kinds.append(CheckedTask(client, lead, *task_type, owner_id))
        if has_notes:
            kinds.append(CheckedNote(client, lead))
        return kinds

    # -- the questions --------------------------------------------------------------------------------------

    def _time_in_queue(self, runner: TrialRunner) -> bool:
        """Measure the queue; return whether any reset was seen to work."""
        self._say("the first resets: how long does the queue take?")
        trials: list[Trial] = []
        for kind in list(runner.kinds):
            try:
                # A date of its own at the present moment: whichever date decides, it must be there.
                first = [runner.make(kind, runner.server_now()) for _ in range(FIRST_RESETS)]
            except LeadSquaredError as error:
                self._say(f"no {kind.name} can be made: {error.reason}")
                runner.kinds = [one for one in runner.kinds if one is not kind]
                continue
            runner.wait_seen(first)
            seen = [one for one in first if one.seen]
            if seen and seen[0].seen:
                runner.offset = seen[0].seen.dates["CreatedOn"] - seen[0].made_at
            if not seen:
                continue
            # Not of all times: what still waits in the queue must not reach the records of the questions to come.
            window = seconds_around(runner.server_time_of(first[0]), runner.server_time_of(first[-1]))
            # Each of a window that holds all: each may take what was left by one that got lost.
            trials += [Trial("queue", kind.selectors, window, [one]) for one in seen]
        runner.step_away()
        runner.send(trials)
        runner.wait_gone(trials, CALIBRATION * runner.patience)
        took = [trial.took for trial in trials if trial.took is not None]
        self._questions.append(
            CheckedQuestion(
                "queue_seconds",
                "How long does a reset wait in the queue?",
                f"{len(trials)} resets of new records",
                f"{len(took)} were seen to work, within {max(took):.0f} s"
                if took
                else "none was seen to work",
                "the records could be read before",
                round(max(took), 1) if took else None,
            )
        )
        return bool(took)

    def _trials(self, runner: TrialRunner) -> None:
        self._say("records whose dates differ, and resets that reach them by one date alone")
        dates: list[DateQuestion] = []
        bounds: list[BoundsQuestion] = []
        unknown: list[UnknownQuestion] = []
        for kind in runner.kinds:
            other = next((one for one in runner.kinds if one is not kind), None)
            dates.append(DateQuestion(runner, kind, other))
            bounds.append(BoundsQuestion(runner, kind, other))
            unknown += self._unknown(runner, kind)
        asked: list[DateQuestion | BoundsQuestion | UnknownQuestion] = [*dates, *bounds, *unknown]
        for question in asked:
            try:
                question.prepare()
            except (LeadRejectedError, UnavailableError) as error:
                self._say(f"not all records could be made: {error.reason}")
        runner.wait_seen(runner.specimens)
        for one in dates:
            one.change()
        runner.wait_seen(runner.specimens)
        self._shapes(runner)
        trials = [trial for question in asked for trial in question.plan()]
        runner.send(trials)
        runner.wait_gone(trials, runner.watch)
        self._questions += [one.answer() for one in dates]
        self._questions += [answer for one in bounds for answer in one.answers()]
        self._questions += [one.answer() for one in unknown]

    def _unknown(self, runner: TrialRunner, kind: CheckedKind) -> list[UnknownQuestion]:
        asked = []
        if isinstance(kind, CheckedActivity) and self._codes is not None:
            code = unknown_event_code({*self._codes, kind.code})
            what = f"an event code that the account does not have, {code}"
            asked.append(
                UnknownQuestion(runner, kind, "unknown_event_code", what, with_code(kind.selectors, code))
            )
        if isinstance(kind, CheckedActivity):
            what = f"the code of a system activity, {SYSTEM_CODE}"
            selectors = with_code(kind.selectors, SYSTEM_CODE)
            asked.append(UnknownQuestion(runner, kind, "system_event_code", what, selectors))
        if isinstance(kind, CheckedTask):
            what = "a task type that nobody has"
            selectors = with_unknown_type(kind.selectors)
            asked.append(UnknownQuestion(runner, kind, "unknown_task_type", what, selectors))
        return asked

    def _shapes(self, runner: TrialRunner) -> None:
        client, lead = self._client, runner.lead_id
        self._questions.append(fractions_read(runner))
        for kind in runner.kinds:
            if isinstance(kind, CheckedActivity):
                path = "ProspectActivity.svc/Retrieve"
                self._questions += PagingQuestion("activity", path, activity_pages(client, lead)).answers()
            if isinstance(kind, CheckedNote):
                path = "LeadManagement.svc/RetrieveNote"
                self._questions += PagingQuestion("note", path, note_pages(client, lead)).answers()
            if isinstance(kind, CheckedTask):
                one = next((one for one in runner.specimens if one.kind is kind and not one.missing), None)
                self._questions += task_id_names(client, one, kind.owner_id, kind.type_id)

    def _audits(self, lead: OwnLead, runner: TrialRunner) -> list[AuditsQuestion]:
        found = []
        for name, audit, attribute, value in (
            ("stage", "StageChange", "ProspectStage", self._options.stage),
            ("owner", "OwnerChange", "OwnerId", self._options.owner),
        ):
            if value is None:
                self._questions += audits_not_asked(name, audit, f"--{name}")
                continue
            before = value_of_lead(self._client, lead.id, attribute)
            if not before or before.lower() == value.lower():
                raise InputError(f"{name} is {quoted(value)}, which the lead has already: name another one")
            question = AuditsQuestion(self._client, lead, runner, name, audit, attribute, (before, value))
            self._questions += question.ask()
            found.append(question)
        return found

    def _last_modified(self, lead: OwnLead, runner: TrialRunner, audits: list[AuditsQuestion]) -> None:
        question = LastModifiedQuestion(self._client, lead.id, runner)
        to_reset: list[Specimen] = []
        if runner.kinds:
            to_reset = [runner.make(runner.kinds[0]) for _ in range(TIMES)]
            runner.wait_seen(to_reset)
        for kind in runner.kinds:
            name = f"activity_{kind.code}" if isinstance(kind, CheckedActivity) else kind.name
            what = (
                f"a new activity of event {kind.code}"
                if isinstance(kind, CheckedActivity)
                else f"a new {kind.name}"
            )
            question.ask(name, what, lambda made=kind: _make(runner, made))  # type: ignore[misc]
        for one in audits:
            numbers = iter(range(2 * TIMES))
            question.ask(
                one.name,
                f"a change of the {one.name}",
                lambda asked=one, numbers=numbers: asked.change(next(numbers)),  # type: ignore[misc]
            )
            if next(numbers) % 2:
                one.change(1)
        if to_reset:
            question.ask("reset", "a reset", lambda: _take_away(runner, to_reset.pop()))
        self._questions += question.answers()

    def _clean_up(self, runner: TrialRunner) -> None:
        """Delete all that was made: what stayed must go now, else that it stayed says nothing."""
        self._say("cleaning up: what stayed must go now")
        runner.wait_seen(one for one in runner.specimens if one.seen is None)
        for _ in range(FIRST_RESETS):
            left = [one for one in runner.specimens if not one.is_gone and one.seen]
            if not left:
                break
            kinds = list(dict.fromkeys(one.kind for one in left))
            window = self._everything(runner)
            trials = [
                Trial("clean-up", kind.selectors, window, [one for one in left if one.kind is kind])
                for kind in kinds
            ]
            runner.send(trials)
            runner.wait_gone(trials, runner.watch)
        left = [one for one in runner.specimens if not one.is_gone]
        kinds_left = {one.kind.name for one in left}
        if kinds_left:
            self._say(f"{len(left)} records stayed whatever was done")
            self._questions = [
                not_told(one.name, one.question, "its records did not go by another reset either", one.did)
                if _rests_on_staying(one, kinds_left)
                else one
                for one in self._questions
            ]

    def _everything(self, runner: TrialRunner) -> Window:
        now = runner.server_now()
        return Window(now - _LONG_AGO, now)


def _rests_on_staying(question: CheckedQuestion, kinds: set[str]) -> bool:
    kind = question.name.partition("_")[0]
    return kind in kinds and question.found in {"stays", "in vain", "dropped"}


def _make(runner: TrialRunner, kind: CheckedKind) -> tuple[Any, Any]:
    began = runner.server_now()
    runner.make(kind, apart=False)
    return began, runner.server_now()


def _take_away(runner: TrialRunner, one: Specimen) -> tuple[Any, Any]:
    """Reset a record, and return between which moments it went."""
    assert one.seen is not None  # ruff: ignore[assert] - it was waited for
    moment = one.seen.dates["CreatedOn"]
    trial = Trial("reset", one.kind.selectors, seconds_around(moment, moment), [one])
    present = runner.server_now()
    runner.send([trial])
    began, pause = runner.clock.seconds(), 1.0
    while not one.is_gone and runner.clock.seconds() - began < runner.watch:
        runner.read()
        if not one.missing:
            present = runner.server_now()
        runner.clock.sleep(pause)
        pause = min(pause * 1.1, max(2.0, runner.watch / 300))
    return present, runner.server_now()
