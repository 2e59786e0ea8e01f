"""The account check in every two ways at once in which an account may behave; none may be told wrongly.

``make account-check``, some half an hour on two cores. With a number, only each so-manieth pair.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.account_truth import LOSSES, SINGLES, Told, judge, pairs
from support.simulated_account import SimulatedAccount


def told_of(way: dict[str, Any]) -> Told:
    with SimulatedAccount(**way) as account:
        result = account.check()
        return judge(result, account.account.dialect, way.get("queue_delay", 2.0))


def main(each: int = 1) -> int:
    groups = {"one at a time": SINGLES, "lost resets, by chance": LOSSES, "every two": list(pairs())[::each]}
    wrong = 0
    print("| ways | accounts | found | could not be told | wrong |\n|---|---|---|---|---|")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, ways in groups.items():
            told = list(zip(ways, pool.map(told_of, ways, chunksize=4), strict=True))
            for way, one in told:
                for said in one.wrong:
                    print(json.dumps(way), said, file=sys.stderr)
            sums = [
                sum(counts)
                for counts in zip(*((o.found, o.not_told, len(o.wrong)) for _, o in told), strict=True)
            ]
            print(f"| {name} | {len(ways)} | {' | '.join(map(str, sums))} |", flush=True)
            wrong += sums[2]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
