"""Whether a record of FromDate's very second goes, and one of ToDate's, and whether fractions of a second count.

Told from eight records whose fractions are known: four first ones and four last ones of windows that begin and end in
their very seconds. A third record in the middle of each shows that its reset was carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion, not_told
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedKind
from airflow_provider_leadreset.leadsquared.account_check.trials import Specimen, Trial, TrialRunner
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.text import pluralize

WINDOWS = 6
"""How many are tried, so that one or two may get lost."""
NEEDED = 4
"""How many must have been carried out: with a first and a last record each, eight records."""
GOES, STAYS = "goes", "stays"


@dataclass(slots=True)
class BoundsQuestion:
    """The question for one kind, from the records to the answers."""

    runner: TrialRunner
    kind: CheckedKind
    other: CheckedKind | None
    triples: list[tuple[list[Specimen], Specimen | None]] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)

    def prepare(self) -> None:
        """Create a first, a middle and a last record for each window, and a bystander."""
        for _ in range(WINDOWS):
            three = [self.runner.make(self.kind), self.runner.make(self.kind)]
            bystander = self.runner.make(self.other, apart=False) if self.other else None
            self.triples.append(([*three, self.runner.make(self.kind)], bystander))

    def plan(self) -> list[Trial]:
        """Return the resets: from the second of the first record to that of the last."""
        for three, bystander in self.triples:
            created = [_created(one) for one in three]
            if None in created:
                continue
            first, middle, last = (moment for moment in created if moment is not None)
            if not first + timedelta(seconds=2) <= middle <= last - timedelta(seconds=2):
                continue
            # A window's start is rounded up, and this is to begin with the record's second; ToDate is sent as a second
            # before the end.
            window = Window(first.replace(microsecond=0), last.replace(microsecond=0) + timedelta(seconds=1))
            bystanders = [bystander] if bystander and bystander.seen else []
            self.trials.append(Trial("bounds", self.kind.selectors, window, three, bystanders))
        return self.trials

    def answers(self) -> list[CheckedQuestion]:
        """Return what was found."""
        kind = self.kind.name
        questions = {
            "from_second": f"Does {self.kind.a_record} of FromDate's very second go?",
            "to_second": f"Does {self.kind.a_record} of ToDate's very second go?",
            "fractions": f"Does the fraction of a second of {self.kind.a_record} count?",
        }
        done = [trial for trial in self.trials if trial.specimens[1].is_gone]
        resets = pluralize(len(self.trials), "reset")
        did = f"{resets} from the second of one record to that of another, a third between"
        if any(one.is_gone for trial in self.trials for one in trial.bystanders):
            what = self.other.full_name if self.other else "of no kind"
            why = f"bystanders ({what}) went too, so something else deletes"
        elif len(done) < NEEDED:
            why = f"{pluralize(len(done), 'reset')} seen to be carried out, {NEEDED} are needed"
        elif not all(_fraction(one) for trial in done for one in (trial.specimens[0], trial.specimens[2])):
            why = "the records read without fractions of a second, so where they lie in it is not known"
        else:
            why = ""
        if why:
            return [not_told(f"{kind}_{name}", text, why, did) for name, text in questions.items()]
        first = _agreed([trial.specimens[0] for trial in done])
        last = _agreed([trial.specimens[2] for trial in done])
        saw = f"of {len(done)} first records {_told(first)}, of {len(done)} last ones {_told(last)}"
        control = (
            f"the record between went in {len(done)} of {len(self.trials)}; what stayed was watched for "
            f"{self.runner.watch:.0f} s; fractions of all {2 * len(done)} records are known"
        )
        # That both go, or the first stays, happens only where fractions are dropped before the comparison. Where the
        # first goes and the last stays, they may be compared or not: both delete the same.
        found = {
            "from_second": first,
            "to_second": last,
            "fractions": "dropped"
            if (first, last) in {(GOES, GOES), (STAYS, GOES), (STAYS, STAYS)}
            else None,
        }
        return [
            CheckedQuestion(f"{kind}_{name}", text, did, saw, control, found[name])
            for name, text in questions.items()
        ]


def _agreed(specimens: Sequence[Specimen]) -> str | None:
    gone = {one.is_gone for one in specimens}
    return None if len(gone) != 1 else GOES if gone.pop() else STAYS


def _told(found: str | None) -> str:
    return "some went and some stayed" if found is None else {GOES: "all went", STAYS: "all stayed"}[found]


def _created(one: Specimen) -> datetime | None:
    return None if one.seen is None else one.seen.dates["CreatedOn"]


def _fraction(one: Specimen) -> int:
    moment = _created(one)
    return 0 if moment is None else moment.microsecond
