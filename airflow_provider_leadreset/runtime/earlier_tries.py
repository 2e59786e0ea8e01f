"""What earlier tries of a task did, from their journals: nothing counts that no closed part tells.

To them belongs another process of this very try: Airflow may start a try twice, when it has lost its worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.progress import Progress
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.reader import ProcessJournal, TryJournal, read_tries
from airflow_provider_leadreset.leadsquared.journal.schema import (
    ContradictionLine,
    EarlierTry,
    NamedLine,
    OutcomeLine,
    Request,
)
from airflow_provider_leadreset.leadsquared.request.guids import guid_key
from airflow_provider_leadreset.leadsquared.safety.unmodified import Contradiction
from airflow_provider_leadreset.leadsquared.text import pluralize

NAMED_ONLY = "named for a call by a try that was ended before it told what became of it"


@dataclass
class EarlierTries:
    """What earlier tries did of what is asked for now.

    :param leads: how many were asked for; None if no such try was found.
    :param continued: the tries and files that this is taken from; of this very try all processes, so that each can
        tell that it was seen.
    :param beside: the tokens of other processes of this very try.
    :param spared: keys (:func:`.guid_key`) of the leads that tries excluded which were asked for something else: by id,
        since a lead's place is another one there.
    """

    progress: Progress = field(default_factory=Progress)
    leads: int | None = None
    continued: list[EarlierTry] = field(default_factory=list)
    beside: frozenset[str] = frozenset()
    spared: set[bytes] = field(default_factory=set)


def earlier_tries(
    task: EvidenceFolder,
    *,
    identity: list[Any],
    before: int,
    generation: str,
    digest: str | None,
    log: Any,
) -> EarlierTries:
    """Read what earlier tries did.

    :param task: the folder of all tries.
    :param identity: ids of DAG, run and task, and the map index: of another that left its files here nothing counts.
    :param before: the number of this try.
    :param generation: see :func:`.checkpoint.generation`: a Clear starts anew.
    :param digest: of what is asked for; None for what the last of them asked for.
    :param log: where it is said what could not be read, or is not continued.
    """
    tries = read_tries(task, before=before, beside=True, strict=True)
    for one in tries:
        _leave_out_others(one, identity)
    requests = [
        process.request
        for one in tries
        for process in one.processes
        if process.request.generation == generation
    ]
    if requests and digest is None:
        digest = requests[-1].request_digest
    elif requests and all(request.request_digest != digest for request in requests):
        log.warning(
            "Earlier tries of this task were asked for something else (%s): this one starts anew, and spares what they "
            "were told to spare",
            pluralize(requests[-1].leads, "lead"),
        )
    beside = [one for one in tries if one.try_number == before]
    found = EarlierTries(beside=frozenset().union(*(one.tokens for one in beside)))
    for one in tries:
        _add(found, one, generation, digest, names_all=one.try_number == before)
        for what in (*one.unreadable, *one.changed):
            log.warning("Of try %d this cannot be relied on: %s", one.try_number, what)
    if any(one.other_version for one in tries):
        log.warning(
            "Earlier tries of this task wrote their journal in a version that this package does not know: all leads "
            "are reset anew"
        )
        anew = EarlierTries(beside=found.beside)
        for process in (process for one in tries for process in one.processes):
            if process.request.generation == generation:
                _add_restraints(anew, process)
        return anew
    return found


def _add(
    found: EarlierTries, one: TryJournal, generation: str, digest: str | None, *, names_all: bool
) -> None:
    for process in one.processes:
        if not _belongs(process.request, generation, digest):
            if names_all:
                found.continued.append(EarlierTry(try_number=one.try_number, files=list(process.files)))
            if process.request.generation == generation:
                _add_restraints(found, process)
            continue
        found.leads = process.request.leads
        doubtful: set[int] = set()
        for line in process.lines():
            if isinstance(line, NamedLine):
                for index, prospect_id in line.leads:
                    if not found.progress.is_unanswered(index):
                        doubtful.add(index)
                    found.progress.record(index, prospect_id, "unanswered", reason=NAMED_ONLY, final=False)
            elif isinstance(line, OutcomeLine):
                if (
                    line.index in doubtful
                ):  # named here and unanswered nowhere before: this is what became of it
                    found.progress.withdraw(line.index)
                doubtful.discard(line.index)
                found.progress.record(
                    line.index, line.prospect_id, line.outcome, reason=line.reason, final=line.final
                )
            elif isinstance(line, ContradictionLine):
                found.progress.contradicted = _told(line)
        found.continued.append(EarlierTry(try_number=one.try_number, files=process.ends()))
    found.progress.end_try()


def _add_restraints(found: EarlierTries, process: ProcessJournal) -> None:
    """Add what holds a retry back whatever it is asked for: who is not to be reset, and that none may be left out."""
    for line in process.lines():
        if isinstance(line, OutcomeLine) and line.outcome == "excluded":
            found.spared.add(guid_key(line.prospect_id))
        elif isinstance(line, ContradictionLine):
            found.progress.contradicted = _told(line)


def _told(line: ContradictionLine) -> str:
    return Contradiction(
        line.prospect_id, line.kind, line.record, line.created_on, line.last_modified
    ).describe()


def _leave_out_others(one: TryJournal, identity: list[Any]) -> None:
    """Leave out files of another task: storages differ in which names they hold for the same."""
    for process in list(one.processes):
        if process.request.identity != identity:
            one.doubt(process.files[0].name, f"it is of another task, {process.request.identity}")
            one.processes.remove(process)


def _belongs(request: Request, generation: str, digest: str | None) -> bool:
    return request.generation == generation and request.request_digest == digest


def describe_earlier(found: EarlierTries) -> tuple[str, dict[str, Any]] | None:
    """Return what earlier tries did, as a text and as a summary; None if they did nothing."""
    progress = found.progress
    if found.leads is None or not (progress.in_earlier_tries or progress.count("unanswered")):
        return None
    counts = BatchCounts(found.leads, RateLimiter(SlidingWindow(1)), progress)
    return f"Earlier tries of this task ended with {counts.describe()}", counts.summary()
