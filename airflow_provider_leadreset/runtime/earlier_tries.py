"""What earlier tries of a task did, from their journals: nothing counts that no closed part tells.

To them belongs another process of this very try: Airflow may start a try twice, when it has lost its worker.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.earlier_requests import EarlierRequests
from airflow_provider_leadreset.leadsquared.batch.progress import Progress, is_answer, reset_fingerprint
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
from airflow_provider_leadreset.runtime.kept_contradiction import told_by

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
    :param requests: what became of that which tries were asked for otherwise.
    """

    progress: Progress = field(default_factory=Progress)
    leads: int | None = None
    continued: list[EarlierTry] = field(default_factory=list)
    beside: frozenset[str] = frozenset()
    spared: set[bytes] = field(default_factory=set)
    requests: EarlierRequests = field(default_factory=EarlierRequests)


@dataclass
class _OtherRequest:
    """What became of a request that is not the present one.

    :param try_number: of the last try that was asked for it.
    :param reset: the :func:`.reset_fingerprint` of what it was to delete.
    """

    leads: int
    reset: str
    try_number: int
    progress: Progress = field(default_factory=Progress)


def earlier_tries(
    task: EvidenceFolder,
    *,
    identity: list[object],
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
    beside = [one for one in tries if one.try_number == before]
    found = EarlierTries(beside=frozenset().union(*(one.tokens for one in beside)))
    others: dict[str, _OtherRequest] = {}
    in_doubt: dict[str, set[bytes]] = defaultdict(set)
    for one in tries:
        _add(found, others, in_doubt, one, generation, digest, names_all=one.try_number == before)
        for what in (*one.unreadable, *one.changed):
            log.warning("Of try %d this cannot be relied on: %s", one.try_number, what)
    for other in others.values():
        found.requests.add(other.leads, other.progress, reset=other.reset, in_doubt=in_doubt[other.reset])
    if any(one.other_version for one in tries):
        log.warning(
            "Earlier tries of this task wrote their journal in a version that this package does not know: all leads "
            "are reset anew"
        )
        return _anew(found, tries, generation, digest)
    return found


def _add(
    found: EarlierTries,
    others: dict[str, _OtherRequest],
    in_doubt: dict[str, set[bytes]],
    one: TryJournal,
    generation: str,
    digest: str | None,
    *,
    names_all: bool,
) -> None:
    for process in one.processes:
        request = process.request
        if request.generation != generation:
            if names_all:
                found.continued.append(EarlierTry(try_number=one.try_number, files=list(process.files)))
            continue
        reset = reset_fingerprint(request.selectors, request.sent.FromDate, request.sent.ToDate)
        if request.request_digest == digest:
            found.leads = request.leads
            progress = found.progress
        else:
            new = _OtherRequest(request.leads, reset, one.try_number)
            other = others.setdefault(request.request_digest, new)
            # The same request may come to other selectors, as the account has an event code no more.
            reset = other.reset
            if other.try_number != one.try_number:
                other.progress.end_try()
            other.try_number = one.try_number
            progress = other.progress
            _add_restraints(found, process)
        _add_lines(progress, process, in_doubt[reset])
        found.continued.append(EarlierTry(try_number=one.try_number, files=process.ends()))
    found.progress.end_try()


def _add_lines(progress: Progress, process: ProcessJournal, in_doubt: set[bytes]) -> None:
    """Add what a process did, of that which it was asked for.

    :param in_doubt: keys of the leads of which no request for the same reset had an answer at last; kept up to date.
    """
    doubtful: set[int] = set()
    named: dict[int, str] = {}
    for line in process.lines():
        if isinstance(line, NamedLine):
            for index, prospect_id in line.leads:
                named[index] = prospect_id
                if not progress.is_unanswered(index):
                    doubtful.add(index)
                progress.record(index, prospect_id, "unanswered", reason=NAMED_ONLY, final=False)
        elif isinstance(line, OutcomeLine):
            if line.index in doubtful:  # named here and unanswered nowhere before: this is what became of it
                progress.withdraw(line.index)
            doubtful.discard(line.index)
            named.pop(line.index, None)
            if line.outcome == "unanswered":
                in_doubt.add(guid_key(line.prospect_id))
            elif in_doubt and is_answer(line.outcome, line.reason):
                in_doubt.discard(guid_key(line.prospect_id))
            progress.record(line.index, line.prospect_id, line.outcome, reason=line.reason, final=line.final)
        elif isinstance(line, ContradictionLine):
            progress.contradicted = told_by(line)
    in_doubt.update(map(guid_key, named.values()))


def _add_restraints(found: EarlierTries, process: ProcessJournal) -> None:
    """Add what holds a retry back whatever it is asked for: who is not to be reset, and that none may be left out."""
    for line in process.lines():
        if isinstance(line, OutcomeLine) and line.outcome == "excluded":
            found.spared.add(guid_key(line.prospect_id))
        elif isinstance(line, ContradictionLine):
            found.progress.contradicted = told_by(line)


def _anew(found: EarlierTries, tries: list[TryJournal], generation: str, digest: str | None) -> EarlierTries:
    """Return what holds though the leads are reset anew: restraints, doubts, and what else was asked for."""
    anew = EarlierTries(beside=found.beside, leads=found.leads, spared=found.spared, requests=found.requests)
    anew.progress.contradicted = found.progress.contradicted
    for index, lead in found.progress.failures.items():
        if lead.kind == "unanswered":
            anew.progress.record(index, lead.prospect_id, "unanswered", reason=lead.reason, final=False)
    for process in (process for one in tries for process in one.processes):
        if _belongs(process.request, generation, digest):
            _add_restraints(anew, process)
    return anew


def _leave_out_others(one: TryJournal, identity: list[object]) -> None:
    """Leave out files of another task: storages differ in which names they hold for the same."""
    for process in list(one.processes):
        if process.request.identity != identity:
            one.doubt(process.files[0].name, f"it is of another task, {process.request.identity}")
            one.processes.remove(process)


def _belongs(request: Request, generation: str, digest: str | None) -> bool:
    return request.generation == generation and request.request_digest == digest


def describe_earlier(found: EarlierTries) -> tuple[str, dict[str, object]] | None:
    """Return what earlier tries did, as a text and as a summary; None if they did nothing."""
    progress = found.progress
    told = progress.in_earlier_tries or progress.count("unanswered") or found.requests.leads
    if found.leads is None or not told:
        return None
    counts = BatchCounts(found.leads, RateLimiter(SlidingWindow(1)), progress, found.requests)
    other = found.requests.describe()
    text = f"Earlier tries of this task ended with {counts.describe()}{f'; {other}' if other else ''}"
    return text, counts.summary()
