"""Links from a task in Airflow's user interface to what it was about.

Imported at every DAG parse. The addresses are made by the task and kept in XCom, since the user interface has
neither the connection nor, on Airflow 3, this package at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import BaseOperatorLink

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import BaseOperator


class _PushedLink(BaseOperatorLink):
    """A link whose address the task has pushed to XCom, under ``xcom_key``."""

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Return the address; empty if the task has none.

        Airflow 2.11 asks in its webserver. Airflow 3 asks in the worker, after the task has ended, and keeps the
        answer under the same key.
        """
        from airflow_provider_leadreset.compat import XCom

        del operator
        return XCom.get_value(key=self.xcom_key, ti_key=ti_key) or ""


class LeadLink(_PushedLink):
    """To the lead's page in LeadSquared, from a task of one lead."""

    name = "Lead in LeadSquared"
    xcom_key = "leadsquared_lead_url"


class EvidenceLink(_PushedLink):
    """To what the task has written as evidence, where that has an address on the web."""

    name = "Evidence"
    xcom_key = "leadsquared_evidence_url"


def push_links(ti: Any, *, lead: str | None = None, evidence: str | None = None) -> None:
    """Push the addresses that a task has, empty where it has none; to be called before its first call of LeadSquared.

    :param ti: the task instance.
    :param lead: address of the one lead's page.
    :param evidence: where evidence goes; without a link unless that is http or https, and names no user.
    """
    on_the_web = evidence and evidence.startswith(("http://", "https://")) and "@" not in evidence
    # Empty ones too: Airflow 3 looks for both when the task ends, and logs an error for one that was never pushed.
    ti.xcom_push(key=LeadLink.xcom_key, value=lead or "")
    ti.xcom_push(key=EvidenceLink.xcom_key, value=evidence if on_the_web else "")
