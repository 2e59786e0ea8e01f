"""What moves the lead's LeadLastModifiedOn, how soon that can be read, and in which time zone it is written.

Before each thing that is done the value must stay still for a while; the same wait without doing anything is the
control; each is done three times. That something does not move it is told only where another thing was seen to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.trials import TIMES_SLOWEST, TrialRunner
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError
from airflow_provider_leadreset.leadsquared.records.rows import field_of, moment_of, rows_of

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

log = logging.getLogger(__name__)

TIMES = 3
"""How often each thing is done."""
STILL = 0.1
"""The value must be still before for this part of the patience: 60 s of 600."""
TRIES = 6
"""How often it is waited for stillness before it is given up."""
SLACK = timedelta(seconds=2)
"""Within what two clocks, and two roundings, agree."""
ZONE_STEP = timedelta(minutes=15)
"""Time zones differ by multiples of it."""
IN_VAIN = 2
"""So often it may be done in vain."""
MOVES, DOES_NOT = "moves", "does not move"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to the lead.

    :param earliest: it took effect no earlier, by LeadSquared's clock.
    :param latest: and no later.
    :param was_done: whether it can be read that it was; asked after the value was watched. An answer of Success does
        not say so (seen: calls that change nothing and say nothing).
    """

    earliest: datetime
    latest: datetime
    was_done: Callable[[], bool]


Act = Callable[[], Deed]


@dataclass(slots=True)
class _Move:
    """A move that was seen after something was done.

    :param lag: seconds from the doing to its reading.
    :param zone: by how much the value is off, in whole quarters of an hour.
    :param off: by how much it is off beside that.
    """

    lag: float
    zone: timedelta
    off: timedelta


@dataclass(slots=True)
class Watched:
    """What was seen of one thing that may move the value."""

    name: str
    what: str
    moves: list[_Move] = field(default_factory=list)
    quiet: int = 0
    """How often it was done and the value stayed."""
    in_vain: int = 0
    """How often it was asked for and not seen to be carried out."""
    watched: float = 0.0
    disturbed: str = ""
    """Why nothing can be told."""


class LastModifiedQuestion:
    """The question for one account.

    :param runner: its clock, its patience, and its offset to LeadSquared's clock.
    """

    def __init__(self, client: LeadSquaredClient, lead_id: str, runner: TrialRunner) -> None:
        self._client, self._lead_id, self._runner = client, lead_id, runner
        self._clock = runner.clock
        self._slowest: float | None = None
        self._is_read = False
        """Whether the last reading gave a value."""
        self.watched: list[Watched] = []

    def ask(self, name: str, what: str, act: Act, *, may_wait: bool = False) -> bool:
        """Find out whether doing something moves the value; return False if it is better asked again after others.

        While nothing was seen to move it, each wait is a long one, and whatever stays is told of nothing.

        :param name: under what the finding is kept; what was seen of it before is given up.
        :param what: what is done, for people.
        :param may_wait: whether it may be left at one quiet watch, until something was seen to move the value.
        """
        self._runner.say(f"LeadLastModifiedOn: {what}, {TIMES} times")
        seen = Watched(name, what)
        self.watched = [one for one in self.watched if one.name != name] + [seen]
        while (times := len(seen.moves) + seen.quiet) < TIMES:
            before = self._still()
            if before is None:
                seen.disturbed = "it moved by itself all the time"
                return True
            began = self._clock.seconds()
            try:
                deed = act()
            except LeadRejectedError as error:
                seen.disturbed = f"it was refused: {error.reason[:200]}"
                return True
            last = times == TIMES - 1 and not seen.moves
            value = self._watch(before, self._watch_for(last=last))
            took = self._clock.seconds() - began
            if not self._is_read or not deed.was_done():
                # Then it says nothing that the value stayed, or moved.
                seen.in_vain += 1
                if seen.in_vain > IN_VAIN:
                    seen.disturbed = (
                        f"of {times + seen.in_vain}, {seen.in_vain} were not seen to be carried out"
                    )
                    return True
                continue
            seen.watched = max(seen.watched, took)
            if value is None:
                seen.quiet += 1
                if may_wait and not self.has_moved:
                    return False
                continue
            self._note(seen, value, deed, took)
            # The same wait, and nothing done.
            before = self._still()
            if before is None or not self._stays(before, max(2 * took, self._still_for)):
                seen.disturbed = "it also moved where nothing was done"
                return True
        return True

    @property
    def has_moved(self) -> bool:
        """Whether anything was seen to move the value."""
        return self._slowest is not None

    @property
    def _still_for(self) -> float:
        return max(STILL * self._runner.patience, 2 * (self._slowest or 0.0))

    def _watch_for(self, *, last: bool) -> float:
        if self._slowest is None:
            return self._runner.patience
        short = max(self._still_for, TIMES_SLOWEST * self._slowest)
        return max(short, self._runner.patience) if last else short

    def _note(self, seen: Watched, value: datetime, deed: Deed, took: float) -> None:
        earliest, latest = deed.earliest, deed.latest
        zone = round((value - earliest) / ZONE_STEP) * ZONE_STEP
        local = value - zone
        off = timedelta()
        if local < earliest - SLACK:
            off = local - earliest
        elif local > latest + SLACK:
            off = local - latest
        seen.moves.append(_Move(took, zone, off))
        self._slowest = max(self._slowest or 0.0, took)

    def _value(self) -> datetime | None:
        """Return the value; None where it could not be read this time."""
        body = {
            "SearchParameters": {"LeadIds": [self._lead_id]},
            "Columns": {"Include_CSV": "ProspectID,LeadLastModifiedOn"},
            "Paging": {"PageIndex": 1, "PageSize": 25},
        }
        self._is_read = False
        try:
            answer = self._client.call("POST", "LeadManagement.svc/Leads/Retrieve/ByIds", body=body)
        except UnavailableError as error:
            log.info("LeadLastModifiedOn could not be read this time: %s", error)
            return None
        rows: list[dict[str, object]] = rows_of(answer, "Leads")
        given = field_of(rows[0], "LeadLastModifiedOn") if len(rows) == 1 else None
        self._is_read = given is not None
        return None if given is None else moment_of(given)

    def _still(self) -> datetime | None:
        """Wait until the value has not moved for a while, and return it; None if it never is still."""
        # What was done before may move it late: how late is not known before the first move was seen.
        seconds = self._runner.patience if self._slowest is None else self._still_for
        for _ in range(TRIES):
            value = self._value()
            if self._stays(value, seconds) and value is not None:
                return value
        return None

    def _stays(self, value: datetime | None, seconds: float) -> bool:
        """Wait, and return whether the value has not moved: it never goes back to what it was."""
        self._clock.sleep(seconds)
        return self._value() == value

    def _watch(self, before: datetime, seconds: float) -> datetime | None:
        """Return the value that is read next after another one; None if it does not move for so long."""
        began, pause = self._clock.seconds(), 1.0
        while True:
            value = self._value()
            if value is not None and value != before:
                return value
            left = began + seconds - self._clock.seconds()
            if left <= 0:
                return None
            self._clock.sleep(min(pause, left))
            pause = min(pause * 1.3, max(3.0, seconds / 20))

    def answers(self) -> list[CheckedQuestion]:
        """Return what was found."""
        moved = [one for one in self.watched if self._verdict(one) == MOVES]
        answers = [self._answer(one, moved) for one in self.watched]
        zones = {move.zone for one in moved for move in one.moves}
        lags = [move.lag for one in moved for move in one.moves]
        did = f"read after {sum(len(one.moves) for one in moved)} things that move it"
        zone = None if len(zones) != 1 else "UTC" if zones == {timedelta()} else "not UTC"
        off = ", ".join(str(one) for one in sorted(zones)) or "nothing"
        answers.append(
            CheckedQuestion(
                "last_modified_zone",
                "In which time zone is LeadLastModifiedOn written?",
                did,
                f"off by {off} from LeadSquared's own CreatedOn",
                "each value lay within seconds of what was done, counted in quarters of an hour",
                zone,
            )
        )
        answers.append(
            CheckedQuestion(
                "last_modified_lag",
                "How long does it take until a move of LeadLastModifiedOn can be read?",
                did,
                f"{min(lags):.0f} to {max(lags):.0f} s" if lags else "no move",
                "the value had been still before each",
                round(max(lags), 1) if lags else None,
            )
        )
        return answers

    def _verdict(self, one: Watched) -> str | None:
        if one.disturbed:
            return None
        if len(one.moves) == TIMES:
            spread = max(move.lag for move in one.moves) - min(move.lag for move in one.moves)
            near = all(timedelta() <= abs(move.off) <= timedelta(seconds=move.lag) for move in one.moves)
            same = len({move.zone for move in one.moves}) == 1
            exact = all(not move.off for move in one.moves)
            return MOVES if same and near and (exact or spread <= SLACK.total_seconds()) else None
        return DOES_NOT if one.quiet == TIMES else None

    def _answer(self, one: Watched, moved: list[Watched]) -> CheckedQuestion:
        found = self._verdict(one)
        saw = f"it moved {len(one.moves)} of {len(one.moves) + one.quiet} times"
        if found == DOES_NOT and (not moved or one.watched < TIMES_SLOWEST * (self._lag_of(moved) or 0.0)):
            found, saw = None, f"{saw}, and nothing else was seen to move it in that time"
        elif not one.moves and one.quiet < TIMES:
            saw = f"{saw}, and was not asked again, since nothing else was seen to move it"
        if one.disturbed:
            saw = one.disturbed
        return CheckedQuestion(
            f"last_modified_{one.name}",
            f"Does {one.what} move LeadLastModifiedOn?",
            f"{one.what}, up to {TIMES} times, after {self._still_for:.0f} s of stillness",
            saw,
            f"as long a wait with nothing done; watched for {one.watched:.0f} s",
            found,
        )

    def _lag_of(self, moved: list[Watched]) -> float | None:
        return max((move.lag for one in moved for move in one.moves), default=None)
