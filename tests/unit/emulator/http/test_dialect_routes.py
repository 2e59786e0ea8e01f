"""Names, missing calls, throttling and errors, in each dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import BY_IDS, BY_LIST, BY_OWNER, DETAILS, KEY_CHECK, NOTES, OF_LEAD, TYPES, Api

AT = "2026-10-01 12:00:00"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("key", "of_lead", "of_owner"),
    [
        ("documented", "TaskID", "UserTaskId"),
        ("TaskID", "TaskID", "TaskID"),
        ("UserTaskId", "UserTaskId", "UserTaskId"),
    ],
)
def test_task_id_key(
    lsq: LeadSquaredEmulator,
    api: Api,
    lead_id: str,
    speak: Callable[..., None],
    key: str,
    of_lead: str,
    of_owner: str,
) -> None:
    """A task's id is called as each call documents it, or alike in both."""
    task = lsq.add_task(lead_id, TYPE, AT)
    speak(task_id_key=key)
    (row,) = api.get(OF_LEAD, leadId=lead_id).json()["TaskList"]
    assert row[of_lead] == task
    owner = {"LookupName": "OwnerId", "LookupValue": row["OwnerID"]}
    (row,) = api.post(BY_OWNER, {"Parameter": owner}).json()["List"]
    assert row[of_owner] == task
    assert {"TaskID", "UserTaskId"} & set(row) == {of_owner}


@pytest.mark.parametrize("key", ["ProspectID", "ProspectId"])
def test_lead_id_key(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None], key: str
) -> None:
    """A lead's id is called one way or the other in bulk answers, however it was asked for."""
    speak(lead_id_key=key)
    columns = {"Columns": {"Include_CSV": "prospectid"}}
    by_ids = api.post(BY_IDS, {"SearchParameters": {"LeadIds": [lead_id]}, **columns}).json()
    assert by_ids["Leads"] == [{key: lead_id}]
    members = {"SearchParameters": {"ListId": lsq.add_list("Mine", [lead_id])}, **columns}
    (row,) = api.post(BY_LIST, members).json()["Leads"]
    assert row["LeadPropertyList"][0]["Attribute"] == key


def test_notes_key(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]) -> None:
    """The rows of notes are called List or Notes."""
    lsq.add_note(lead_id, "one", AT)
    for key in ("List", "Notes"):
        speak(notes_key=key)
        answer = api.post(NOTES, {"Parameter": {"RelatedId": lead_id}}).json()
        assert [row["Note"] for row in answer[key]] == ["one"]


def test_key_check_names(api: Api, speak: Callable[..., None]) -> None:
    """The key check names its user by Name and PassPhrase, or by first and last name."""
    user = api.get(KEY_CHECK).json()
    assert (user["Name"], user["PassPhrase"], user["EmailAddress"]) == (
        "Asha Admin",
        "asha.admin@example.com",
        None,
    )
    speak(key_check="first and last name")
    user = api.get(KEY_CHECK).json()
    assert (user["FirstName"], user["LastName"]) == ("Asha", "Admin")
    assert user["EmailAddress"] == "asha.admin@example.com"
    assert not {"Name", "PassPhrase"} & set(user)


def test_missing_calls(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]) -> None:
    """An account without notes, or without a list of types, answers 404 to that call alone."""
    speak(notes_api=False)
    answer = api.post(NOTES, {"Parameter": {"RelatedId": lead_id}})
    assert (answer.status_code, answer.headers["content-type"][:9]) == (404, "text/html")
    assert api.get(TYPES).status_code == 200
    speak(types_api=False)
    assert api.get(TYPES).status_code == 404
    assert api.post(NOTES, {"Parameter": {"RelatedId": lead_id}}).status_code == 200


def test_event_types(lsq: LeadSquaredEmulator, api: Api, speak: Callable[..., None]) -> None:
    """The list of types tells custom ones by an EventType of 2, or not at all, and names no 3xxx codes."""
    lsq.add_activity_type(201, "Demo")
    rows = {row["ActivityEvent"]: row for row in api.get(TYPES).json()}
    assert (rows[201]["EventType"], rows[22]["EventType"], rows[33]["EventType"]) == (2, 1, 1)
    assert not any(3000 <= code < 4000 for code in rows)
    speak(event_types_shown=False)
    assert set(api.get(TYPES).json()[0]) == {"ActivityEvent", "ActivityEventName"}


@contextmanager
def throttled_answer(**dialect: Any) -> Iterator[requests.Response]:
    with LeadSquaredEmulator(calls_per_5s=1, window=60, dialect=dialect) as lsq:
        api = Api(lsq)
        with api.session:
            api.get(KEY_CHECK)
            yield api.get(KEY_CHECK)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("documented", "API calls exceeded the limit of 1 in 60 second(s)"),
        ("too many requests", "Too many requests"),
        ("rate limit", "Rate limit exceeded"),
    ],
)
@pytest.mark.parametrize("status", ["429", "200", "403"])
def test_throttling_forms(status: str, text: str, words: str) -> None:
    """A throttled call has one of three statuses and says it in one of three ways; a forced one too."""
    with throttled_answer(throttle_status=status, throttle_text=text) as answer:
        assert answer.status_code == int(status)
        said = answer.json()["ExceptionMessage"] if status == "200" else answer.text
        assert said == words


def test_forced_throttling_words(lsq: LeadSquaredEmulator, api: Api, speak: Callable[..., None]) -> None:
    """A fault that plays throttling uses the dialect's words."""
    speak(throttle_text="rate limit")
    lsq.fault("429")
    assert api.get(KEY_CHECK).text == "Rate limit exceeded"


def test_logical_errors(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]) -> None:
    """A logical error is an envelope under 500, or Status Failed under 200; wrong keys are a 401 either way."""
    assert api.get(DETAILS, activityId=UNKNOWN).status_code == 500
    speak(errors_as="200 failed")
    answer = api.get(DETAILS, activityId=UNKNOWN)
    assert (answer.status_code, answer.json()) == (
        200,
        {"Status": "Failed", "Message": {"Message": "Activity does not exist"}},
    )
    assert api.post(NOTES, {"Parameter": 7}).status_code == 400
    assert requests.get(f"{lsq.url}/v2/{KEY_CHECK}", timeout=60).status_code == 401
