"""Run all sessions of the noxfile, two at once; what each wrote is in ``.nox/<session>.log``.

A session waits for processes, and for 5 seconds to pass, more than it computes: two take little longer than one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOGS = ROOT / ".nox"
NOX = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]


def sessions() -> list[str]:
    """Return the names of all sessions."""
    listed = subprocess.run([*NOX, "--list", "--json"], check=True, capture_output=True, text=True)
    return [str(one["session"]) for one in json.loads(listed.stdout)]


def run(session: str) -> bool:
    """Run one session; say how it ended, with its last lines where it failed."""
    began = time.monotonic()
    log = LOGS / f"{re.sub(r'[^0-9A-Za-z.]+', '-', session).strip('-')}.log"
    with log.open("w", encoding="utf-8") as output:
        ended = subprocess.run(
            [*NOX, "--session", session], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, check=False
        )
    good = ended.returncode == 0
    minutes = (time.monotonic() - began) / 60
    print(
        f"{'passed' if good else 'FAILED'} {session}, {minutes:.1f} min, {log.relative_to(ROOT)}", flush=True
    )
    if not good:
        print(
            "".join(f"    {line}\n" for line in log.read_text(errors="replace").splitlines()[-20:]),
            flush=True,
        )
    return good


def main() -> int:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="how many sessions at once (2)")
    parser.add_argument("sessions", nargs="*", help="only these; by default all")
    given = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    began = time.monotonic()
    names = given.sessions or sessions()
    with ThreadPoolExecutor(given.at_once) as pool:
        good = list(pool.map(run, names))
    print(f"{sum(good)} of {len(names)} sessions passed, {(time.monotonic() - began) / 60:.0f} min")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
