"""How long a reset waits in the queue: measured first, since all waiting goes by it."""

from __future__ import annotations

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.trials import (
    CALIBRATION,
    Trial,
    TrialRunner,
    seconds_around,
)
from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError

FIRST_RESETS = 3
"""How many resets of each kind measure the queue."""


def ask_time_in_queue(runner: TrialRunner) -> CheckedQuestion:
    """Measure the queue with the first records and resets of each kind.

    A kind that the account does not make is taken out of the runner's.
    """
    runner.say("the first resets: how long does the queue take?")
    trials: list[Trial] = []
    for kind in list(runner.kinds):
        try:
            # A date of its own at the present moment: whichever date decides, it must be there.
            first = [runner.make(kind, runner.server_now()) for _ in range(FIRST_RESETS)]
        except LeadSquaredError as error:
            runner.say(f"no {kind.name} can be made: {error.reason}")
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
    return CheckedQuestion(
        "queue_seconds",
        "How long does a reset wait in the queue?",
        f"{len(trials)} resets of new records",
        f"{len(took)} were seen to work, within {max(took):.0f} s" if took else "none was seen to work",
        "the records could be read before",
        round(max(took), 1) if took else None,
    )
