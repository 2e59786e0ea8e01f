"""Kill a task at random moments of a reset, again and again. Does its retry finish the work, and what does that cost?

Each round resets some 90 leads in a real Airflow, kills the task's process with SIGKILL, or that one and its
supervisor, and asks the emulator what arrived in the end. Nothing may be lost, and no more be called twice than
was on its way or not yet saved. Some extra rounds kill the supervisor alone and are counted apart: the task's
process outlives it, and where it still runs beside the retry, all that was not saved may be called twice.

Each round also compares the evidence with what the server saw: every accepted reset is named by a closed part, nothing
is told as queued that was not accepted, and no file is changed once it is there. With --stored the progress is in
Airflow's store instead; with --no-retries the kill ends the task, and the evidence alone must tell.

With --archived each record is to be copied before it goes. A look right after each kill and another in the end
compare what the account has lost with the parts that can be read, whichever try wrote them. Those resets read a lot,
so they are of some 75 leads at a higher limit, in parts of 25.

On Airflow 2.11 too, run by its Python; it has no store for --stored.

What Airflow and the tasks wrote is in .kill/ beside the Makefile.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path

# Starting and ending processes, and asking Airflow and LeadSquared, is the same for every test that starts them.
sys.path.append(str(Path(__file__).parents[2]))

from lane import Lane
from results import MOST_REPEATED, Result, archive_table, table
from rich.console import Console
from rich.markup import escape
from stage import HOME, Stage, running_stage

from support.processes import RunError, end_on_signals, leftovers

_ROUNDS, _ARCHIVED_ROUNDS = 50, 20

console = Console(width=120, highlight=False)


def main() -> int:
    given = _arguments()
    given.rounds = given.rounds or (_ARCHIVED_ROUNDS if given.archived else _ROUNDS)
    given.lanes = min(given.lanes, given.rounds)
    given.orphans = 0 if given.no_retries else given.orphans
    end_on_signals(console.print)
    began = time.monotonic()
    try:
        with running_stage(
            given.lanes,
            archived=given.archived,
            kept=not given.stored,
            retries=0 if given.no_retries else 2,
        ) as stage:
            console.print(f"Up in {time.monotonic() - began:.0f} s; seed {given.seed}")
            results, (cleared, again) = play(stage, given)
    except RunError as error:
        console.print(f"[red]Not done:[/] {escape(str(error))}", soft_wrap=True)
        return 1
    left = leftovers(str(HOME))
    console.print(table(results))
    if given.archived:
        console.print(archive_table(results))
    done = [result for result in results if not result.orphaned]
    console.print(
        f"Beside {sum(result.overlapped for result in results)} retries the old process still ran. "
        f"{sum(result.late for result in results)} kills came after a task's end and were drawn again."
    )
    promised = (
        "every record that was gone was in a closed part, at the kill and in the end"
        if given.archived
        else f"{MOST_REPEATED} calls at most"
    )
    checks = {
        f"{len(done)} of {given.rounds} rounds and {len(results) - len(done)} extra ones played": (
            len(results) == given.rounds + given.orphans
        ),
        "0 calls untold, the task ended by the kill"
        if given.no_retries
        else f"0 leads lost, all runs succeeded, repeated what was not saved, 0 untold, {promised}": all(
            result.good for result in results
        ),
        (
            f"a Clear starts anew, and finds nothing left to reset: {again} of {cleared} leads called once more"
            if given.archived
            else f"a Clear starts anew: {again} of {cleared} leads called once more"
        ): again == (0 if given.archived else cleared) and cleared > 0,
        f"nothing left running: {len(left)}": not left,
    }
    for what, holds in checks.items():
        console.print(f"{'[green]holds[/]' if holds else '[red]FAILS[/]'}  {what}")
    console.print(f"{time.monotonic() - began:.0f} s; again with --seed {given.seed}")
    return 0 if all(checks.values()) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--archived", action="store_true", help="the resets keep copies: are they all there?")
    parser.add_argument("--stored", action="store_true", help="no evidence: progress is in Airflow's store")
    parser.add_argument("--no-retries", action="store_true", help="the evidence alone tells what was done")
    parser.add_argument(
        "--rounds",
        type=_positive,
        metavar="N",
        help=f"kills ({_ROUNDS}; with --archived {_ARCHIVED_ROUNDS})",
    )
    parser.add_argument(
        "--orphans", type=int, default=4, metavar="N", help="extra rounds: the supervisor alone (4)"
    )
    parser.add_argument("--lanes", type=_positive, default=4, metavar="N", help="rounds at the same time (4)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), metavar="S", help="repeats the drawings of a run"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def play(stage: Stage, given: argparse.Namespace) -> tuple[list[Result], tuple[int, int]]:
    """Play all rounds, and clear a task after the last one of the first lane; return what came of it all."""
    stopped = threading.Event()
    results: list[Result] = []
    numbers = count(1)  # taking the next one is one step, which threads cannot share
    cleared = (0, 0)

    def play_lane(lane_number: int) -> None:
        nonlocal cleared
        lane = Lane(
            stage,
            lane_number,
            stopped,
            archived=given.archived,
            kept=not given.stored,
            retried=not given.no_retries,
        )
        while (number := next(numbers)) <= given.rounds + given.orphans:
            result = lane.play(given.seed, number, orphaned=number > given.rounds)
            results.append(result)
            console.print(result.line(given.rounds), soft_wrap=True)
        if lane_number == 1:
            cleared = lane.clear()

    with _threads(given.lanes, stopped) as threads:
        futures = [threads.submit(play_lane, lane + 1) for lane in range(given.lanes)]
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
    results.sort(key=lambda result: result.plan.number)
    (HOME / "rounds.json").write_text(json.dumps([asdict(result) for result in results], indent=1))
    return results, cleared


@contextmanager
def _threads(lanes: int, stopped: threading.Event) -> Generator[ThreadPoolExecutor, None, None]:
    with ThreadPoolExecutor(lanes) as threads:
        try:
            yield threads
        finally:
            stopped.set()


if __name__ == "__main__":
    sys.exit(main())
