"""What became of a reset's leads, told to all who keep it: counts, journal, Airflow's store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.schema import OutcomeLine
from airflow_provider_leadreset.leadsquared.safety.unmodified import Contradiction
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.kept_contradiction import contradiction_line
from airflow_provider_leadreset.runtime.try_evidence import TryEvidence


class BatchRecord:
    """Counts outcomes, and has them kept.

    :param evidence: None without an ``evidence_path``.
    :param checkpoint: None with one.
    :param log: the task's.
    """

    def __init__(
        self,
        counts: BatchCounts,
        evidence: TryEvidence | None,
        checkpoint: Checkpoint | None,
        *,
        log: Any,
    ) -> None:
        self.counts = counts
        self.evidence = evidence
        self._checkpoint = checkpoint
        self._log = log
        self._kept: set[str] = set()

    def tell(self, outcome: Outcome) -> None:
        """Count an outcome, and have it written down; told again, it counts once."""
        self.counts.add(outcome)
        if self.evidence:
            self.evidence.journal.ended(
                OutcomeLine(
                    index=outcome.index,
                    prospect_id=outcome.prospect_id,
                    outcome=outcome.kind,
                    reason=outcome.reason,
                    final=outcome.final,
                )
            )

    @property
    def keeps_progress(self) -> bool:
        """Whether a retry knows what this try has found."""
        return self.evidence is not None or bool(self._checkpoint and self._checkpoint.is_kept)

    def tell_contradiction(self, found: Contradiction) -> None:
        """Record that no lead may be left out any more, for retries too."""
        self.counts.progress.contradicted = found.describe()
        if self.evidence:
            self.evidence.journal.contradicted(contradiction_line(found))

    def tell_unended(self, index: int, prospect_id: str) -> None:
        """Tell of a lead whose call could not be broken off."""
        error = LeadSquaredError("sent, and could not be broken off when the task was stopped")
        error.in_doubt = True
        self.tell(Outcome(index, prospect_id, error))

    def tell_not_sent(self) -> None:
        """Tell of the leads that were named for a call, and have no outcome: none was sent."""
        if self.evidence:
            for index, prospect_id in self.evidence.journal.open_leads.items():
                self.evidence.journal.ended(
                    OutcomeLine(index=index, prospect_id=prospect_id, outcome="not_reached", final=False)
                )

    def save(self) -> None:
        """Save and write all that waits, due or not."""
        if self._checkpoint:
            self._checkpoint.save()
        if self.evidence:
            self.evidence.journal.close()

    def tick(self, now: float) -> None:
        """Save and write what is due.

        :param now: seconds of a clock that never goes back.
        """
        if self._checkpoint:
            self._checkpoint.save_if_due(now)
        if self.evidence:
            self.evidence.journal.write_if_due(now)

    def keep(self, output: dict[str, Any]) -> Exception | None:
        """Keep evidence and progress; return what hindered it first, which must not hide how the batch ended.

        Each is kept whatever became of the others, and once.

        :param output: the summary, which is told where the evidence lies.
        """
        steps: list[tuple[str, Callable[[], object]]] = []
        if evidence := self.evidence:
            steps += [
                ("journal", evidence.journal.close),
                ("failed leads", lambda: self._keep_failed(evidence, output)),
                ("summary", lambda: self._keep_summary(evidence, output)),
            ]
        if self._checkpoint:
            steps.append(("progress", self._checkpoint.save))
        hindered: Exception | None = None
        for what, keep in steps:
            if what in self._kept:
                continue
            try:
                keep()
                self._kept.add(what)
            except Exception as error:  # storages raise what they like
                self._log.exception("This could not be kept: %s", what)
                hindered = hindered or error
        return hindered

    def _keep_failed(self, evidence: TryEvidence, output: dict[str, object]) -> None:
        # The file can be given back as leads: what only an earlier try was asked for is not in it, nor who is excluded.
        progress = self.counts.progress
        asked_for = (
            one for index, one in sorted(progress.failures.items()) if not progress.is_excluded(index)
        )
        output["failed_path"] = evidence.write_failed(asked_for)

    def _keep_summary(self, evidence: TryEvidence, output: dict[str, object]) -> None:
        output["evidence_digest"] = evidence.write_summary(output)
        self._log.info("Evidence: %s", evidence.report)
        self._log.info("Its digest: %s", output["evidence_digest"])
