"""The throw-away lead, and the one place that writes: no call of it names another lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import InputError, UnreadableError
from airflow_provider_leadreset.leadsquared.records.records import read_notes, read_tasks
from airflow_provider_leadreset.leadsquared.records.rows import field_of, rows_of
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset

FIRST_NAME = "ZZ leadreset check"
"""The throw-away lead's name: at the end of every list, and telling what it is. It has no e-mail and no phone."""


class OwnLead:
    """The lead that the account check made or was given, and every write that it does.

    :param client: the account.
    :param prospect_id: the lead.
    """

    def __init__(self, client: LeadSquaredClient, prospect_id: str) -> None:
        self._client = client
        self.id = parse_guid(prospect_id, "lead").lower()
        self._made: set[str] = set()

    @classmethod
    def create(cls, client: LeadSquaredClient, owner_id: str) -> OwnLead:
        """Create the lead (``LeadManagement.svc/Lead.Create``, documented).

        :param owner_id: the keys' user; empty where the account does not tell it.
        """
        values = {"FirstName": FIRST_NAME, **({"OwnerId": owner_id} if owner_id else {})}
        body = [{"Attribute": name, "Value": value} for name, value in values.items()]
        answer = client.call("POST", "LeadManagement.svc/Lead.Create", body=body, writes=True)
        return cls(client, _id_in(answer, "a lead"))

    @classmethod
    def given(cls, client: LeadSquaredClient, prospect_id: str, *, notes: bool) -> OwnLead:
        """Use a lead that is given, which must exist and hold no record of any kind.

        :param notes: whether the account has calls for notes.
        :raises InputError: it is unknown, or holds a record.
        """
        lead = cls(client, prospect_id)
        if not client.call("GET", "LeadManagement.svc/Leads.GetById", params={"id": lead.id}):
            raise InputError(f"lead {quoted(lead.id)} is not known to the account: give one that is, or none")
        answer = client.call(
            "POST", "ProspectActivity.svc/Retrieve", params={"leadId": lead.id}, body={"Parameter": {}}
        )
        held = len(rows_of(answer, "ProspectActivities")) + len(read_tasks(client, lead.id)[0])
        held += len(read_notes(client, lead.id)) if notes else 0
        if held:
            raise InputError(
                f"lead {quoted(lead.id)} holds {pluralize(held, 'record')} or more: the account check deletes all that "
                "its lead has, so give one without a record of any kind, or none and let it make one"
            )
        return lead

    def create_activity(self, code: int, note: str, at: str | None) -> str:
        """Create an activity (``ProspectActivity.svc/Create``, documented) and return its id.

        :param at: ActivityDateTime, UTC text; None for none.
        """
        body = {"RelatedProspectId": self.id, "ActivityEvent": code, "ActivityNote": note}
        if at is not None:
            body["ActivityDateTime"] = at
        return self._create("ProspectActivity.svc/Create", self.id, body)

    def create_note(self, text: str) -> str:
        """Create a note (``LeadManagement.svc/CreateNote``, documented) and return its id."""
        body = {"RelatedProspectId": self.id, "Note": text}
        return self._create("LeadManagement.svc/CreateNote", self.id, body)

    def create_task(self, type_name: str, owner_id: str, due: str) -> str:
        """Create a task (``Task.svc/Create``, documented) and return its id.

        :param due: DueDate, UTC text.
        """
        body = {
            "Name": FIRST_NAME,
            "Description": "",
            "RelatedEntity": 1,
            "RelatedEntityId": self.id,
            "DueDate": due,
            "NotifyBy": "1000",
            "OwnerId": owner_id,
            "TaskType": {"Name": type_name},
        }
        return self._create("Task.svc/Create", self.id, body)

    def change_activity(self, activity_id: str, code: int, note: str) -> None:
        """Change an activity of one's own (``ProspectActivity.svc/CustomActivity/Update``, documented)."""
        body = {"ProspectActivityId": activity_id, "ActivityEvent": code, "ActivityNote": note}
        self._change("ProspectActivity.svc/CustomActivity/Update", activity_id, body)

    def change_task(self, task_id: str, description: str) -> None:
        """Change a task of one's own (``Task.svc/Update``, seen)."""
        self._change("Task.svc/Update", task_id, {"UserTaskId": task_id, "Description": description})

    def change_note(self, note_id: str, text: str) -> None:
        """Change a note of one's own (``LeadManagement.svc/UpdateNote``, seen; its body is inferred)."""
        body = {"ProspectNoteId": note_id, "RelatedProspectId": self.id, "Note": text}
        self._change("LeadManagement.svc/UpdateNote", note_id, body)

    def change_lead(self, attribute: str, value: str) -> None:
        """Change the lead's stage or owner (``LeadManagement.svc/Lead.Update``, seen)."""
        body = [{"Attribute": attribute, "Value": value}]
        self._write("LeadManagement.svc/Lead.Update", self.id, body, {"leadId": self.id})

    def reset(self, reset: LeadReset) -> None:
        """Queue a reset of the lead (``LeadManagement.svc/Lead.Reset``, documented)."""
        self._write("LeadManagement.svc/Lead.Reset", reset.prospect_id, reset.body())

    def _create(self, path: str, lead: str, body: Mapping[str, object]) -> str:
        record_id = _id_in(self._write(path, lead, body), "a record")
        self._made.add(record_id)
        return record_id

    def _change(self, path: str, record_id: str, body: Mapping[str, object]) -> None:
        if record_id not in self._made:
            raise RuntimeError(f"record {quoted(record_id)} was not made by the account check")
        self._write(path, self.id, body)

    def _write(self, path: str, lead: str, body: object, params: dict[str, str] | None = None) -> object:
        # The one place that writes about a lead. Not an assert: that can be switched off.
        if lead.lower() != self.id:
            raise RuntimeError(f"the account check was about to write to another lead, {quoted(lead)}")
        return self._client.call("POST", path, params=params, body=body, writes=True)


def _id_in(answer: object, what: str) -> str:
    message = answer.get("Message") if isinstance(answer, dict) else None
    found = field_of(message, "Id") if isinstance(message, dict) else None
    if not isinstance(found, str) or not found.strip():
        raise UnreadableError(f"the answer does not say the id of {what} that was made")
    return found.strip().lower()
