"""How long a reset waits in the queue: measured first, since all waiting goes by it."""

from __future__ import annotations

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion, not_told
from airflow_provider_leadreset.leadsquared.account_check.trials import (
    CALIBRATION,
    Trial,
    TrialRunner,
    seconds_around,
)
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError
from airflow_provider_leadreset.leadsquared.text import pluralize

FIRST_RESETS = 3
"""How many resets of each kind measure the queue."""


def ask_time_in_queue(runner: TrialRunner) -> list[CheckedQuestion]:
    """Measure the queue with the first records and resets of each kind.

    :returns: a question for each kind that the account does not make, which is taken out of the runner's; and last the
        one about the queue, whose finding tells whether any reset was seen to work.
    """
    runner.say("the first resets: how long does the queue take?")
    questions: list[CheckedQuestion] = []
    trials: list[Trial] = []
    for kind in list(runner.kinds):
        try:
            # A date of its own at the present moment: whichever date decides, it must be there.
            first = [runner.make(kind, runner.server_now()) for _ in range(FIRST_RESETS)]
        except (LeadRejectedError, UnavailableError) as error:
            runner.say(f"no {kind.full_name} can be made: {error.reason}")
            runner.kinds = [one for one in runner.kinds if one is not kind]
            text = f"How does a reset treat {kind.a_record}?"
            questions.append(not_told(f"{kind.key}_reset", text, f"none could be made: {error.reason[:200]}"))
            continue
        runner.wait_seen(first)
        seen = [one for one in first if one.seen]
        if not seen or seen[0].seen is None:
            continue
        runner.offset = seen[0].seen.dates["CreatedOn"] - seen[0].made_at
        # Not of all times: what still waits in the queue must not reach the records of the questions to come.
        window = seconds_around(runner.server_time_of(first[0]), runner.server_time_of(first[-1]))
        # Each of a window that holds all: each may take what was left by one that got lost.
        trials += [Trial("queue", kind.selectors, window, [one]) for one in seen]
    runner.step_away()
    runner.send(trials)
    runner.wait_gone(trials, CALIBRATION * runner.patience)
    took = [trial.took for trial in trials if trial.took is not None]
    questions.append(
        CheckedQuestion(
            "queue_seconds",
            "How long does a reset wait in the queue?",
            f"{pluralize(len(trials), 'reset')} of new records",
            f"{len(took)} {'was' if len(took) == 1 else 'were'} seen to work, within {max(took):.0f} s"
            if took
            else "none was seen to work",
            "the records could be read before",
            round(max(took), 1) if took else None,
        )
    )
    return questions
