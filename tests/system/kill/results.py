"""What became of each round, and whether that is as promised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from archives import Archived
from evidence import Checked
from plans import Plan
from rich.table import Table

MOST_REPEATED = 55
"""A kill may cost so many calls: a burst at the limit, those on their way, and what came since the last saving."""


@dataclass(frozen=True)
class Result:
    """A round.

    :param late: kills that came when the task had ended, each followed by a new drawing.
    :param resets_before: resets that were accepted when the kill came.
    :param state: how the DAG run ended.
    :param tries: how many the task took.
    :param lost: leads without any accepted reset.
    :param repeated: accepted resets beyond one for each lead.
    :param unsaved: leads that the stored progress did not have when the retry began, though their calls were made:
        in flight, or since the last saving. The most that may be repeated.
    :param overlapped: whether the first try's process still ran when the retry began; then that is all the leads
        that were not saved.
    :param recovered: seconds from the kill to the retry's start.
    :param archived: what became of the copies; None where none were to be kept.
    :param evidence: whether the evidence tells what the server saw; None where none was to be kept.
    :param retried: whether the task had retries; if not, the kill ends it, and all that counts is what is told.
    """

    plan: Plan
    late: int
    lane: int
    resets_before: int
    state: str
    tries: int
    lost: int
    repeated: int
    unsaved: int
    overlapped: bool
    recovered: float
    archived: Archived | None
    evidence: Checked | None = None
    retried: bool = True

    @property
    def orphaned(self) -> bool:
        return self.plan.victim == "supervisor"

    @property
    def good(self) -> bool:
        told = self.evidence is None or self.evidence.good
        if not self.retried:
            return told and self.state == "failed" and self.repeated == 0
        as_saved = self.repeated <= self.unsaved
        if self.plan.archived:
            kept = self.archived is not None and self.archived.good
        else:
            kept = self.orphaned or self.repeated <= MOST_REPEATED
        return self.state == "success" and self.lost == 0 and as_saved and kept and told

    def line(self, rounds: int) -> str:
        """Return it in one line."""
        number = self.plan.number
        name = f"extra {number - rounds:>2}" if self.orphaned else f"{number:>3}/{rounds}"
        verdict = "ok" if self.good else f"FAILS, run: {self.state}"
        if self.evidence:
            verdict = f"{self.evidence.line()}  {verdict}"
        if self.archived:
            verdict = f"{self.archived.line()}  {verdict}"
        return (
            f"{name}  lane {self.lane}  {self.plan.victim:<10}  killed at {self.resets_before:>3} of "
            f"{self.plan.leads:>3}  lost {self.lost}  repeated {self.repeated:>2} (at most {self.unsaved:>2})  "
            f"retry after {self.recovered:>4.1f} s  {verdict}"
        )


def table(results: Sequence[Result]) -> Table:
    """Show all rounds by who was killed."""
    shown = Table(
        "killed", "rounds", "lost", "repeated min/mean/max", "unsaved max", "seconds to recover min/mean/max"
    )
    for name, rows, end_section in by_victim(results):
        shown.add_row(
            name,
            str(len(rows)),
            str(sum(row.lost for row in rows)),
            _spread((row.repeated for row in rows), "{:g}", "{:.1f}"),
            str(max(row.unsaved for row in rows)),
            _spread((row.recovered for row in rows), "{:.1f}", "{:.1f}"),
            end_section=end_section,
        )
    return shown


def archive_table(results: Sequence[Result]) -> Table:
    """Show what became of the copies, by who was killed."""
    shown = Table(
        "killed",
        "reading",
        "resetting",
        "gone then",
        "uncopied",
        "gone at the end",
        "uncopied",
        "left",
        "wrongly gone",
        "parts",
        "torn",
    )
    for name, rows, end_section in by_victim(results):
        found = [row.archived for row in rows if row.archived]
        if found:
            shown.add_row(
                name,
                str(sum(not one.resetting for one in found)),
                str(sum(one.resetting for one in found)),
                str(sum(one.at_kill.gone for one in found)),
                str(sum(one.at_kill.uncopied for one in found)),
                str(sum(one.at_end.gone for one in found)),
                str(sum(one.at_end.uncopied for one in found)),
                str(sum(one.at_end.left for one in found)),
                str(sum(one.at_end.strangers for one in found)),
                str(sum(one.at_end.parts for one in found)),
                str(sum(one.at_end.torn for one in found)),
                end_section=end_section,
            )
    return shown


def by_victim(results: Sequence[Result]) -> Iterator[tuple[str, list[Result], bool]]:
    """Return the rounds by who was killed, and whether a line is drawn below, without kinds that did not come up."""
    counted = [result for result in results if not result.orphaned]
    for name, rows in (
        ("runner", [result for result in counted if result.plan.victim == "runner"]),
        ("runner and supervisor", [result for result in counted if result.plan.victim == "tree"]),
        ("both kinds", counted),
        ("supervisor alone", [result for result in results if result.orphaned]),
    ):
        if rows:
            yield name, rows, rows is counted


def _spread(values: Iterable[float], form: str, mean_form: str) -> str:
    found = list(values)
    return " / ".join([form.format(min(found)), mean_form.format(mean(found)), form.format(max(found))])
