"""How activities look in answers, and the audits and mirror rows that are shown as such."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.store.directory import MIRROR, OWNER_CHANGE, STAGE_CHANGE
from airflow_provider_leadreset.emulator.store.entities import Activity, Audit, Lead

_CALLS = (21, 22)
_AUDIT_CODES = {"StageChange": STAGE_CHANGE, "OwnerChange": OWNER_CHANGE}


class ShownActivity(NamedTuple):
    """A row of a lead's activities."""

    code: int
    """The code it is shown under: that of a mirror row is not its activity's."""
    record: Activity | Audit


def shown_activities(account: Account, lead: Lead, code: int) -> list[ShownActivity]:
    """Return the rows of a lead's activities, newest first (a guess), as the dialect shows them.

    :param code: only rows of that event code; 0 for all.
    """
    # Oldest first, and the mirror after its activity, for the whole to be turned round.
    rows = sorted(_rows(account, lead), key=lambda row: row.record.created_on)
    return [row for row in reversed(rows) if code in (0, row.code)]


def _rows(account: Account, lead: Lead) -> Iterator[ShownActivity]:
    dialect = account.dialect
    for activity in lead.activities:
        yield ShownActivity(activity.code, activity)
        if dialect.mirror_rows and account.directory.is_custom(activity.code):
            yield ShownActivity(MIRROR, activity)
    if dialect.mirror_rows and dialect.mirrors_kept:
        for activity in lead.deleted_activities:
            yield ShownActivity(MIRROR, activity)
    if dialect.audits_shown:
        for audit in lead.audits:
            yield ShownActivity(_AUDIT_CODES[audit.kind], audit)


def activity_row(account: Account, shown: ShownActivity) -> dict[str, object]:
    """Return a row of ProspectActivity.svc/Retrieve."""
    code, record = shown
    custom = account.directory.is_custom(record.code) if isinstance(record, Activity) else False
    row = {
        "Id": record.id,
        "EventCode": code,
        "EventName": account.directory.activity_type(code).name,
        "ActivityScore": 10 if custom else 0,
        "CreatedOn": account.shown_time(record.created_on),
        "ActivityType": _type_number(record, custom),
        "IsEmailType": False,
        "Type": "Custom" if custom else "System",
        "SessionId": None,
        "TrackLocation": None,
        "Latitude": None,
        "Longitude": None,
        "RelatedProspectId": record.lead_id,
        "ModifiedOn": account.shown_time(record.modified_on),
        "Data": [{"Key": key, "Value": value} for key, value in _data(account, record).items()],
    }
    if custom and isinstance(record, Activity):
        # Beside Data on custom activities, absent on audits (seen).
        row["ActivityFields"] = dict(record.fields)
    return row


def _type_number(record: Activity | Audit, custom: bool) -> int:
    # 2 custom (documented), 3 call and 26 stage change (seen); 26 for owner changes and 1 for the rest are guesses.
    if isinstance(record, Audit):
        return 26
    if custom:
        return 2
    return 3 if record.code in _CALLS else 1


def _data(account: Account, record: Activity | Audit) -> dict[str, str]:
    if isinstance(record, Activity):
        return {"NotableEventDescription": record.note, **record.fields}
    if record.kind == "OwnerChange":
        return {"PreviousOwner": record.old, "CurrentOwner": record.new}
    return {
        "PreviousStage": record.old,
        "CurrentStage": record.new,
        "CreatedBy": account.directory.user_name(account.user_id),
        "Comment": "",
    }


def activity_details(account: Account, record: Activity | Audit) -> dict[str, object]:
    """Return the answer of GetActivityDetails: no row as above, but the activity's type and fields (documented)."""
    if isinstance(record, Activity):
        name = account.directory.activity_type(record.code).name
        values = {"ActivityEvent_Note": record.note, **record.fields}
    else:
        name = account.directory.activity_type(_AUDIT_CODES[record.kind]).name
        values = _data(account, record)
    return {
        "ID": record.id,
        "Name": name,
        "DisplayName": name,
        "Fields": [
            {
                "SchemaName": field,
                "InternalName": field,
                "DisplayName": field,
                "Value": value,
                "DataType": "String",
                "IsMandatory": False,
                "ShowInForm": True,
                "Sequence": sequence,
            }
            for sequence, (field, value) in enumerate(values.items())
        ],
    }


def event_row(account: Account, activity: Activity) -> dict[str, object]:
    """Return a row of RetrieveByActivityEvent."""
    return {
        "ProspectActivityId": activity.id,
        "RelatedProspectId": activity.lead_id,
        "ActivityType": "2",
        # As text here, as a number in the other calls: so documented.
        "ActivityEvent": str(activity.code),
        "Status": "Active",
        "CreatedOn": account.shown_time(activity.created_on, millis=True),
        "ModifiedOn": account.shown_time(activity.modified_on, millis=True),
        "CreatedBy": "",
        "ActivityEvent_Note": activity.note,
    }
