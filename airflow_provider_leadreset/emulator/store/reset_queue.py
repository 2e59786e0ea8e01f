"""The queue between "has been queued" and done."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_leadreset.emulator.store.accepted_reset import Reset


class ResetQueue:
    """Resets in order of acceptance, each due a fixed time after it was accepted.

    Nothing runs in the background: whoever is about to look at the records first takes out what is due. At
    any moment that shows exactly what a worker thread would have left, without the thread.

    :param delay: seconds from acceptance to application; None to hold everything until told. How long the
        real queue takes is unknown.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(self, delay: float | None, clock: Callable[[], float]) -> None:
        self.delay = delay
        self._clock = clock
        self._waiting: list[tuple[float | None, Reset]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, reset: Reset, later: float = 0.0) -> None:
        """Accept a reset.

        :param later: seconds that it is applied later than others, since reads show it so much later.
        """
        due = None if self.delay is None else self._clock() + self.delay + later
        self._waiting.append((due, reset))

    def take_due(self, until: float | None = None) -> list[Reset]:
        """Remove and return the resets whose time has come.

        :param until: the moment that counts as the present one, in seconds of the clock; None for the present.
        """
        if not self._waiting:
            return []
        now = self._clock() if until is None else until
        due = [reset for at, reset in self._waiting if at is not None and at <= now]
        if due:
            self._waiting = [(at, reset) for at, reset in self._waiting if at is None or at > now]
        return due

    def take_all(self) -> list[Reset]:
        """Remove and return all resets."""
        waiting, self._waiting = self._waiting, []
        return [reset for _, reset in waiting]

    def waiting_for(self, lead_id: str) -> int:
        """Return how many resets of that lead are queued."""
        return sum(reset.lead_id == lead_id for _, reset in self._waiting)

    def next_due_in(self) -> float | None:
        """Return the seconds until something is due; None when nothing is due by itself."""
        times = [at for at, _ in self._waiting if at is not None]
        return max(0.0, min(times) - self._clock()) if times else None
