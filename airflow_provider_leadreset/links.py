"""Links from a task in Airflow's user interface to what it was about.

Imported at every DAG parse. The addresses are made by the task and kept in XCom, since the user interface has
neither the connection nor, on Airflow 3, this package at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import BaseOperatorLink, is_airflow_2

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import BaseOperator


class _TasksLink(BaseOperatorLink):
    """A link whose address the task has made, and Airflow keeps in XCom under ``xcom_key``."""

    def get_link(self, operator: BaseOperator, *, ti_key: object) -> str:
        """Return the address; empty if the task has none.

        Airflow 2.11 asks in its webserver, for what the task has pushed. Airflow 3 asks in the worker, after the task
        has ended, however early, and keeps the answer: pushed by the task too, it would be kept twice.
        """
        if not is_airflow_2():
            run: Any = getattr(operator, "_run", None)
            return str(run.links.get(self.xcom_key, "")) if run else ""
        from airflow_provider_leadreset.compat import XCom

        return XCom.get_value(key=self.xcom_key, ti_key=ti_key) or ""


class LeadLink(_TasksLink):
    """To the lead's page in LeadSquared, from a task of one lead."""

    name = "Lead in LeadSquared"
    xcom_key = "leadsquared_lead_url"


class EvidenceLink(_TasksLink):
    """To what the task has written as evidence, where that has an address on the web."""

    name = "Evidence"
    xcom_key = "leadsquared_evidence_url"


def links_of(*, lead: str | None = None, evidence: str | None = None) -> dict[str, str]:
    """Return a task's addresses by their keys, empty where it has none.

    :param lead: address of the one lead's page.
    :param evidence: where evidence goes; without a link unless that is http or https, and names no user.
    """
    on_the_web = evidence and evidence.startswith(("http://", "https://")) and "@" not in evidence
    return {LeadLink.xcom_key: lead or "", EvidenceLink.xcom_key: (evidence or "") if on_the_web else ""}


def push_links(ti: Any, *, lead: str | None = None, evidence: str | None = None) -> None:
    """Push the addresses that a task has, on Airflow 2; to be called before its first call of LeadSquared.

    :param ti: the task instance.
    :param lead: as for :func:`links_of`.
    :param evidence: likewise.
    """
    for key, address in links_of(lead=lead, evidence=evidence).items():
        ti.xcom_push(key=key, value=address)
