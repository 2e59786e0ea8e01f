from __future__ import annotations

from typing import Any

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import Api

AT = "2026-10-01 12:00:00"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
RETRIEVE = "ProspectActivity.svc/Retrieve"
BY_EVENT = "ProspectActivity.svc/CustomActivity/RetrieveByActivityEvent"


def kind_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["ExceptionType"]


def test_activities_of_a_lead(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A lead's activities are answered newest first, also of one event only, and an unknown lead has none."""
    lsq.add_activity_type(166, "Test call")
    older = lsq.add_activity(lead_id, 166, AT, note="hello")
    newer = lsq.add_activity(lead_id, 22, "2026-10-01 12:00:00.250", modified_on="2026-10-03 00:00:00")
    answer = api.post(RETRIEVE, leadId=lead_id.upper()).json()
    assert answer["RecordCount"] == 2
    assert [row["Id"] for row in answer["ProspectActivities"]] == [newer, older]
    assert answer["ProspectActivities"][1] == {
        "Id": older,
        "EventCode": 166,
        "EventName": "Test call",
        "ActivityScore": 10,
        "CreatedOn": AT,
        "ActivityType": 2,
        "IsEmailType": False,
        "Type": "Custom",
        "SessionId": None,
        "TrackLocation": None,
        "Latitude": None,
        "Longitude": None,
        "RelatedProspectId": lead_id,
        "ModifiedOn": AT,
        "Data": [{"Key": "NotableEventDescription", "Value": "hello"}],
        "ActivityFields": {},
    }
    assert answer["ProspectActivities"][0]["CreatedOn"] == "2026-10-01 12:00:00.250"
    one = api.post(RETRIEVE, {"Parameter": {"ActivityEvent": "166"}}, leadId=lead_id).json()
    assert [row["Id"] for row in one["ProspectActivities"]] == [older]
    assert api.post(RETRIEVE, leadId=UNKNOWN).json() == {"RecordCount": 0, "ProspectActivities": []}
    assert kind_of(api.post(RETRIEVE)) == (500, "MXMandatoryAttributeMissingException")


@pytest.mark.parametrize(
    ("paging", "first", "count"),
    [
        (None, 0, 25),
        ({"PageIndex": 1, "PageSize": 1000}, 0, 60),
        ({"PageIndex": 2, "PageSize": 40}, 40, 20),
        ({"PageIndex": 3, "PageSize": 40}, 0, 0),
        ({"Offset": "0", "RowCount": "10"}, 0, 10),
        ({"Offset": "1", "RowCount": "10"}, 0, 10),
        ({"Offset": "2", "RowCount": "10"}, 10, 10),
    ],
)
def test_paging_of_activities(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, paging: Any, first: int, count: int
) -> None:
    """Activities come in pages, asked for by page and size or by offset and row count."""
    ids = [lsq.add_activity(lead_id, 166, f"2026-10-01 12:00:{n:02d}") for n in range(60)][::-1]
    answer = api.post(RETRIEVE, {"Paging": paging}, leadId=lead_id).json()
    assert answer["RecordCount"] == 60
    assert [row["Id"] for row in answer["ProspectActivities"]] == ids[first : first + count]


@pytest.mark.parametrize("paging", [{"PageSize": 1001}, {"RowCount": 0}, {"PageSize": "many"}])
def test_bad_paging(api: Api, lead_id: str, paging: dict[str, Any]) -> None:
    """A bad page is answered with a 500 and LeadSquared's type of exception."""
    assert kind_of(api.post(RETRIEVE, {"Paging": paging}, leadId=lead_id)) == (500, "MXInvalidInputException")


def test_activities_by_event(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """When activities are read by event, the dates are compared with their last change."""
    lsq.add_activity(lead_id, 166, AT, modified_on="2026-11-01 00:00:00")
    found = lsq.add_activity(lead_id, 166, "2026-01-01 00:00:00", modified_on=AT)
    lsq.add_activity(lead_id, 167, AT)
    parameter = {"FromDate": AT, "ToDate": AT, "ActivityEvent": 166}
    sorting = {"ColumnName": "ProspectActivityId", "Direction": 0}
    answer = api.post(BY_EVENT, {"Parameter": parameter, "Sorting": sorting}).json()
    assert answer["RecordCount"] == 1
    (row,) = answer["List"]
    assert (row["ProspectActivityId"], row["RelatedProspectId"]) == (found, lead_id)
    assert row["ActivityEvent"] == "166"
    assert row["CreatedOn"] == "2026-01-01 00:00:00.000"
    assert api.post(BY_EVENT, {"Parameter": {"ActivityEvent": "166"}}).json()["RecordCount"] == 2
    assert kind_of(api.post(BY_EVENT, {"Parameter": {}})) == (500, "MXMandatoryAttributeMissingException")
    bad = {"Parameter": parameter, "Sorting": {"ColumnName": "Colour"}}
    assert kind_of(api.post(BY_EVENT, bad)) == (500, "MXInvalidInputException")
    assert api.post(BY_EVENT, {"Parameter": 7}).status_code == 400


def test_activity_until_deleted(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A single activity can be read until the queued reset is applied."""
    path = "ProspectActivity.svc/GetActivityDetails"
    activity = lsq.add_activity(lead_id, 166, AT)
    details = api.get(path, activityId=activity).json()
    assert (details["ID"], details["Name"]) == (activity, "Custom activity 166")
    assert {"SchemaName", "Value"} <= set(details["Fields"][0])
    api.reset(lead_id, ActivityEventList=[166])
    assert api.get(path, activityId=activity).status_code == 200
    lsq.apply_queue()
    assert kind_of(api.get(path, activityId=activity)) == (500, "MXUnknownProspectActivityException")


def test_tasks_of_a_lead(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A lead's tasks do not say their type."""
    task = lsq.add_task(
        lead_id, TYPE, AT, name="Call", due_date="2026-10-05 00:00:00", owner="tom@example.com"
    )
    answer = api.get("LeadManagement.svc/RetrieveTaskByLeadId", leadId=lead_id).json()
    assert answer["RecordCount"] == 1
    (row,) = answer["TaskList"]
    assert row == {
        "TaskID": task,
        "Name": "Call",
        "Description": "",
        "DueDate": "2026-10-05 00:00:00",
        "CreatedOn": "2026-10-01 12:00:00",
        "OwnerID": row["OwnerID"],
        "OwnerName": "tom",
        "CreatedBy": row["OwnerID"],
        "CreatedByName": "tom",
        "Status": "Pending",
        "Reminder": "15",
    }
    empty = api.get("LeadManagement.svc/RetrieveTaskByLeadId", leadId=UNKNOWN).json()
    assert empty == {"RecordCount": 0, "TaskList": []}


def test_tasks_by_owner_and_type(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """Tasks can be read by owner and type, narrowed by status and dates, and with columns left out."""
    other = lsq.add_task_type("Visit")
    calls = [
        lsq.add_task(lead_id, TYPE, f"2026-10-0{n} 00:00:00", owner="tom@example.com") for n in (1, 2, 3)
    ]
    done = lsq.add_task(lead_id, TYPE, "2026-10-04 00:00:00", owner="tom@example.com", status="Completed")
    lsq.add_task(lead_id, other, AT, owner="tom@example.com")
    lsq.add_task(lead_id, TYPE, AT)

    def ids(**body: Any) -> list[str]:
        tom = {"LookupName": "OwnerEmailAddress", "LookupValue": "tom@example.com", "TypeName": TYPE}
        answer = api.post("Task.svc/Retrieve", {**body, "Parameter": {**tom, **body.get("Parameter", {})}})
        return [row["UserTaskId"] for row in answer.json()["List"]]

    assert ids() == [*calls, done]
    assert ids(Parameter={"StatusCode": "1"}) == [done]
    assert ids(Paging={"Offset": "1", "RowCount": "2"}) == calls[1:]
    assert ids(Parameter={"FromDate": "2026-10-04 00:00:00", "ToDate": "2026-10-31 00:00:00"}) == [
        calls[2],
        done,
    ]
    owner = api.get("LeadManagement.svc/RetrieveTaskByLeadId", leadId=lead_id).json()["TaskList"][0][
        "OwnerID"
    ]
    assert ids(Parameter={"LookupName": "OwnerId", "LookupValue": owner}) == [*calls, done]

    query = {"Parameter": {"LookupName": "OwnerId", "LookupValue": owner, "TypeName": other}}
    (row,) = api.post("Task.svc/Retrieve", query).json()["List"]
    assert row["ProspectID"] == lead_id
    (row,) = api.post("Task.svc/Retrieve", {**query, "Columns": {"Exclude_CSV": "ProspectID, Name"}}).json()[
        "List"
    ]
    assert "ProspectID" not in row
    assert "Name" not in row
    assert kind_of(api.post("Task.svc/Retrieve", {})) == (500, "MXMandatoryAttributeMissingException")
    wrong = {"Parameter": {"LookupName": "Owner", "LookupValue": owner}}
    assert kind_of(api.post("Task.svc/Retrieve", wrong)) == (500, "MXInvalidInputException")


def test_notes_of_a_lead(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A lead's notes are answered newest first, in pages or a single one by its id."""
    first = lsq.add_note(lead_id, "one", AT, attachment_url="https://files.example/a.pdf")
    second = lsq.add_note(lead_id, "two", "2026-10-02 00:00:00")
    path = "LeadManagement.svc/RetrieveNote"
    answer = api.post(path, {"Parameter": {"RelatedId": lead_id}}).json()
    assert list(answer) == ["List"]
    assert [row["ProspectNoteId"] for row in answer["List"]] == [second, first]
    assert answer["List"][1] == {
        "ProspectNoteId": first,
        "RelatedProspectId": lead_id,
        "Note": "one",
        "AttachmentName": "a.pdf",
        "AttachmentURL": "https://files.example/a.pdf",
        "CreatedByName": "Asha Admin",
        "CreatedOn": "2026-10-01 12:00:00.000",
    }
    one = {"Parameter": {"RelatedId": lead_id}, "Paging": {"PageIndex": 2, "PageSize": 1}}
    assert (
        api.post(path, {**one, "Sorting": {"Direction": "0"}}).json()["List"][0]["ProspectNoteId"] == second
    )
    by_id = {"Parameter": {"RelatedId": lead_id, "Id": second}}
    assert [row["Note"] for row in api.post(path, by_id).json()["List"]] == ["two"]
    assert api.post(path, {"Parameter": {"RelatedId": UNKNOWN}}).json() == {"List": []}
    assert kind_of(api.post(path, {"Parameter": {}})) == (500, "MXMandatoryAttributeMissingException")


def test_leads_by_id(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A lead is read by its id, and an unknown id gives an empty list."""
    lsq.add_activity(lead_id, 166, AT)
    (row,) = api.get("LeadManagement.svc/Leads.GetById", id=lead_id).json()
    assert (row["ProspectID"], row["FirstName"], row["ProspectStage"]) == (lead_id, "Asha", "Qualified")
    assert row["OwnerIdName"] == "Asha Admin"
    assert row["ProspectActivityDate_Max"] == "2026-10-01 12:00:00.000"
    unknown = api.get("LeadManagement.svc/Leads.GetById", id=UNKNOWN)
    assert (unknown.status_code, unknown.json()) == (200, [])


def test_leads_in_bulk(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """Leads are read in bulk by their ids, each once, and without those that are unknown."""
    path = "LeadManagement.svc/Leads/Retrieve/ByIds"
    asked = {"SearchParameters": {"LeadIds": [lead_id.upper(), UNKNOWN, lead_id]}}
    answer = api.post(path, {**asked, "Columns": {"Include_CSV": "ProspectId, CreatedOn"}})
    assert answer.json() == {
        "RecordCount": 1,
        "Leads": [{"ProspectID": lead_id, "CreatedOn": "2020-01-01 00:00:00.000"}],
    }
    assert kind_of(api.post(path, asked)) == (500, "MXMandatoryAttributeMissingException")
    many = {"SearchParameters": {"LeadIds": [UNKNOWN] * 10_001}, "Columns": {"Include_CSV": "ProspectId"}}
    assert kind_of(api.post(path, many)) == (500, "MXInvalidInputException")
    assert api.post(path, {"SearchParameters": {"LeadIds": lead_id}}).status_code == 400


def test_lists_and_their_members(lsq: LeadSquaredEmulator, api: Api) -> None:
    """Lists are found by name, and their members are read page by page."""
    leads = [lsq.add_lead() for _ in range(30)]
    list_id = lsq.add_list("Test leads", leads)
    lsq.add_list("Empty", [])
    listed = api.get("LeadManagement.svc/Lists.Get", SearchText="test").json()
    assert listed == [
        {
            "ListId": list_id,
            "ListName": "Test leads",
            "ListDescription": "",
            "ListType": "static",
            "MemberCount": 30,
        }
    ]
    dynamic = lsq.add_list("Moving", leads[:2], list_type="dynamic")

    def names(**query: Any) -> dict[str, int]:
        found = api.get("LeadManagement.svc/Lists.Get", **query).json()
        return {one["ListName"]: one["MemberCount"] for one in found}

    assert names() == {"Starred Leads": 0, "All Leads": 30, "Test leads": 30, "Empty": 0, "Moving": 2}
    assert names(ListType=1) == {"All Leads": 30, "Moving": 2}
    assert names(ListType=2) == names(PageIndex=2) == {}
    assert dynamic in {one.id for one in lsq.lists()}
    path = "LeadManagement.svc/Leads/Retrieve/BySearchParameter"
    body = {"SearchParameters": {"ListId": list_id, "RetrieveBehaviour": "0"}}
    members = []
    for page in (1, 2):
        answer = api.post(path, {**body, "Paging": {"PageIndex": page, "PageSize": 20}}).json()
        assert answer["RecordCount"] == 30
        for lead in answer["Leads"]:
            values = {field["Attribute"]: field["Value"] for field in lead["LeadPropertyList"]}
            members.append(values["ProspectID"])
    assert members == leads
    narrow = api.post(path, {**body, "Columns": {"Include_CSV": "ProspectID"}}).json()["Leads"]
    assert narrow[0] == {
        "LeadPropertyList": [
            {"Attribute": "ProspectID", "Value": leads[0], "Fields": None},
            {"Attribute": "CanUpdate", "Value": "true", "Fields": None},
        ]
    }
    everyone = lsq.system_lists()[1].id
    all_leads = api.post(path, {"SearchParameters": {"ListId": everyone}}).json()
    assert all_leads["RecordCount"] == 30
    wrong = {"SearchParameters": {"ListId": UNKNOWN}}
    assert kind_of(api.post(path, wrong)) == (500, "MXInvalidInputException")
    large = {**body, "Paging": {"PageIndex": 1, "PageSize": 5001}}
    assert kind_of(api.post(path, large)) == (500, "MXMandatoryFieldMissingException")


def test_types_and_fields(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """The types of activities and tasks and the fields of leads can be read."""
    lsq.add_activity_type(166, "Test call")
    lsq.add_activity(lead_id, 300, AT)
    types = {
        t["ActivityEvent"]: t["ActivityEventName"]
        for t in api.get("ProspectActivity.svc/ActivityTypes.Get").json()
    }
    assert types[166] == "Test call"
    assert types[300] == "Custom activity 300"
    assert 21 in types
    lsq.add_task_type("Call", TYPE)
    (task_type,) = api.get("Task.svc/RetrieveTaskType").json()
    assert (task_type["Id"], task_type["Name"], task_type["Category"]) == (TYPE, "Call", 1)
    path = "Task.svc/RetrieveTaskType"
    assert api.get(path, ColumnName="TaskTypeName", ColumnValue="call").json() == [task_type]
    assert api.get(path, ColumnName="Category", ColumnValue="0").json() == []
    assert kind_of(api.get(path, ColumnName="Colour")) == (500, "MXInvalidInputException")
    fields = api.get("LeadManagement.svc/LeadsMetaData.Get", schemaName="ProspectID").json()
    assert [field["SchemaName"] for field in fields] == ["ProspectID"]


def test_key_check_answer(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """The key check names the user's role and the account's hosts, and calls at another host are refused."""
    path = "Authentication.svc/UserByAccessKey.Get"
    user = api.get(path).json()
    assert user["Role"] == "Administrator"
    assert user["OrgShortCode"] == "LSQEMU"
    assert user["LSQCommonServiceURLs"]["api"] == user["LSQCommonServiceURLs"]["app"] == lsq.host

    lsq.set_user(role="Sales User", api_host="api-in21.leadsquared.com", app_host="in21.leadsquared.com")
    user = api.get(path).json()
    assert user["Role"] == "Sales User"
    assert user["LSQCommonServiceURLs"]["api"] == "api-in21.leadsquared.com"
    assert user["LSQCommonServiceURLs"]["app"] == "in21.leadsquared.com"
    elsewhere = api.get("LeadManagement.svc/Leads.GetById", id=lead_id)
    assert elsewhere.status_code == 401
    assert "api-in21.leadsquared.com" in elsewhere.json()["ExceptionMessage"]


def test_where_keys_are_accepted(lsq: LeadSquaredEmulator, lead_id: str) -> None:
    """Keys are accepted in headers or in the query and are never in the record of calls."""
    url = f"{lsq.url}/v2/LeadManagement.svc/Leads.GetById"
    keys = {"accessKey": lsq.access_key, "secretKey": lsq.secret_key}
    headers = {"x-LSQ-AccessKey": lsq.access_key, "x-LSQ-SecretKey": lsq.secret_key, "User-Agent": "me/1"}
    good = [
        requests.get(url, {"id": lead_id, **keys}, timeout=60),
        requests.get(url, {"id": lead_id}, headers=headers, timeout=60),
    ]
    raw = f"{url}?id={lead_id}&accessKey={lsq.access_key}&secretKey={lsq.secret_key}"
    bad = [
        requests.get(url, {"id": lead_id}, timeout=60),
        requests.get(url, {"id": lead_id, **keys, "secretKey": "x"}, timeout=60),
        # A + in an address is a blank: keys that were not encoded do not work.
        requests.get(raw, timeout=60),
    ]
    assert [answer.status_code for answer in good] == [200, 200]
    assert [answer.status_code for answer in bad] == [401] * 3
    assert kind_of(bad[0]) == (401, "MXInvalidAccessDetailsException")
    assert [dict(call.query) for call in lsq.calls] == [{"id": lead_id}] * 5
    assert lsq.calls[1].user_agent == "me/1"
    record = repr(lsq.calls) + requests.get(f"{lsq.url}/_emulator/calls", timeout=60).text
    assert "emulated" not in record


def test_unknown_paths_and_methods(api: Api, lead_id: str) -> None:
    """An unknown path is answered with a 404, and a wrong method with a 405."""
    assert api.post("LeadManagement.svc/Lead.Rest", {}).status_code == 404
    assert api.get("LeadManagement.svc/Lead.Reset").status_code == 405
    assert requests.get(f"{api.lsq.url}/nowhere", timeout=60).status_code == 404
    assert [call.status for call in api.lsq.calls] == [404, 405]


def test_recorded_calls(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A call is recorded with its method, path, status, body, time and lead."""
    api.reset(lead_id.upper(), ActivityEventList=[166])
    api.post("LeadManagement.svc/RetrieveNote", {"Parameter": {"RelatedId": lead_id}})
    api.post(RETRIEVE, leadId=lead_id)
    first = lsq.calls[0]
    assert (first.method, first.path, first.status) == ("POST", "LeadManagement.svc/Lead.Reset", 200)
    assert first.body["ActivityEventList"] == [166]
    assert first.at.utcoffset() is not None
    assert lsq.calls[2].body is None
    assert {call.prospect_id for call in lsq.calls} == {lead_id}
    assert not first.throttled
    assert lsq.resets == [first]
