"""The account check in every two ways at once in which an account may behave; none may be told wrongly.

``make account-check``, some ten minutes on two idle cores. With a number, only each n-th pair. Standard output is
two tables: of the accounts, and of the questions. Standard error says each wrong verdict at once, and how far it is.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.account_truth import DRIFTS, LOSSES, SINGLES, Told, judge, pairs
from support.simulated_account import SimulatedAccount

RIGHT, NOT_TOLD, WRONG = "found", "could not be told", "wrong"
WORKERS = 2
"""Not one for each core: others may be at work."""


def told_of(way: dict[str, Any]) -> Told:
    with SimulatedAccount(**way) as account:
        result = account.check()
        return judge(result, account.account.dialect, way.get("queue_delay", 2.0))


def main(each: int = 1) -> int:
    groups = {
        "one at a time": SINGLES,
        "lost resets, by chance": LOSSES,
        "drifting automations": DRIFTS,
        # Mixed, so that what was done so far stands for the rest.
        "every two": random.Random("pairs").sample(every_two := list(pairs())[::each], len(every_two)),
    }
    lines, of_questions = [], Counter[tuple[str, str]]()
    with ProcessPoolExecutor(WORKERS) as pool:
        for name, ways in groups.items():
            counts: Counter[str] = Counter()
            every = zip(ways, pool.map(told_of, ways, chunksize=4), strict=True)
            for number, (way, told) in enumerate(every, 1):
                for question, said in told.wrong.items():
                    _say(f"{json.dumps(way)} {question}: {said}")
                for verdict, names in ((RIGHT, told.right), (NOT_TOLD, told.not_told), (WRONG, told.wrong)):
                    counts[verdict] += len(names)
                    of_questions.update((question, verdict) for question in names)
                if number % 100 == 0 or number == len(ways):
                    _say(f"{name}: {number} of {len(ways)} accounts, {dict(counts)}")
            lines.append((name, len(ways), *_three(counts[one] for one in (RIGHT, NOT_TOLD, WRONG))))
    _print_table(("accounts that differ in", "accounts", RIGHT, NOT_TOLD, WRONG), lines)
    _print_table(
        ("question", RIGHT, NOT_TOLD, WRONG),
        [
            (f"`{name}`", *_three(of_questions[name, one] for one in (RIGHT, NOT_TOLD, WRONG)))
            for name in dict.fromkeys(question for question, _ in of_questions)
        ],
    )
    return 1 if any(verdict == WRONG for _, verdict in of_questions) else 0


def _three(counts: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{count:,}" for count in counts)


def _print_table(head: tuple[str, ...], lines: Iterable[tuple[Any, ...]]) -> None:
    print("|", " | ".join(head), "|")
    print("|", " | ".join(["---", *["---:"] * (len(head) - 1)]), "|")
    for line in lines:
        print("|", " | ".join(map(str, line)), "|")
    print()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
