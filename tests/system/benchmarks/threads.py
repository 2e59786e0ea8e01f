"""What people write today: a thread pool of 8 whose calls wait for a rate limiter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import requests
from work import ENDPOINT, request_body

THREADS = 8
CALLS = 25
SECONDS = 5
TRIES = 6

Wait = Callable[[], None]


def limits_wait() -> Wait:
    """Moving window of ``limits``. It does not block, so its users poll; 10 ms is short beside the window."""
    from limits import RateLimitItemPerSecond
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    limiter = MovingWindowRateLimiter(MemoryStorage())
    item = RateLimitItemPerSecond(CALLS, SECONDS)

    def wait() -> None:
        while not limiter.hit(item, "leadsquared"):
            time.sleep(0.01)

    return wait


def pyrate_wait() -> Wait:
    """Blocking acquire of ``pyrate-limiter``, with its own default buffer of 50 ms."""
    from pyrate_limiter import Duration, Limiter, Rate

    limiter = Limiter(Rate(CALLS, Duration.SECOND * SECONDS))

    def wait() -> None:
        while not limiter.try_acquire("leadsquared"):
            pass

    return wait


WAITS: dict[str, Callable[[], Wait]] = {"limits": limits_wait, "pyrate": pyrate_wait}


def reset_all(name: str, url: str, headers: dict[str, str], leads: Iterable[str]) -> int:
    """Reset the leads, each tried six times, a second apart; return how many were lost."""
    wait = WAITS[name]()
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment cannot reach this machine's own addresses
    session.headers.update(headers)

    def reset(lead: str) -> bool:
        for _ in range(TRIES):
            wait()
            try:
                answer = session.post(f"{url}/{ENDPOINT}", json=request_body(lead), timeout=30)
            except requests.RequestException:
                time.sleep(1)
                continue
            if answer.ok and answer.json().get("Status") == "Success":
                return True
            time.sleep(1)
        return False

    with session, ThreadPoolExecutor(THREADS) as pool:
        return sum(not done for done in pool.map(reset, leads))
