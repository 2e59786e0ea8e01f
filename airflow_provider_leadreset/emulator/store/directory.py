"""An account's users, activity types and task types."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_leadreset.emulator.store.entities import User, guid

STAGE_CHANGE, OWNER_CHANGE, MIRROR = 3002, 3001, 3011
"""Codes under which audits, and the mirrors of custom activities, are read as activities (seen)."""

SYSTEM_EVENTS = {
    21: "Inbound Phone Call Activity",
    22: "Outbound Phone Call Activity",
    23: "Lead Capture",
    30: "Sales Activity",
    33: "Opportunity Captured",
    97: "Dynamic Form Submission",
    OWNER_CHANGE: "Lead Assigned",
    STAGE_CHANGE: "Lead Stage Changed",
    3004: "System activity 3004",
    3006: "System activity 3006",
    MIRROR: "Activity mirror",
}
"""Codes seen in use by system activities in public integrations; most of the names are made up."""

_FIRST_CUSTOM = 100
"""What a code that nobody has named is taken for: below it system, from it on custom (inferred: custom codes are
mostly 150 to 300, and 1001 and 12000 were seen)."""


@dataclass(frozen=True, slots=True)
class ActivityType:
    """A kind of activities."""

    name: str
    custom: bool
    """Whether a reset may delete its activities: it never deletes a system one (documented)."""


@dataclass
class Directory:
    """Names for ids. Whatever a record refers to and is not known yet is added under a made-up name."""

    new_id: Callable[[], str]
    users: dict[str, User] = field(default_factory=dict)
    activity_types: dict[int, ActivityType] = field(
        default_factory=lambda: {
            code: ActivityType(name, custom=False) for code, name in SYSTEM_EVENTS.items()
        }
    )
    task_types: dict[str, str] = field(default_factory=dict)

    def user_id(self, who: str) -> str:
        """Return the id of a user named by id or e-mail address, or by anything else, which adds one."""
        for user in self.users.values():
            if who.lower() in (user.id, user.email.lower()):
                return user.id
        try:
            user_id = guid(who)
        except ValueError:
            # The same text must always be the same user.
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, who))
        if user_id not in self.users:
            name = who.partition("@")[0]
            self.users[user_id] = User(
                user_id, name, "", who if "@" in who else f"{name}@example.com", "Sales User"
            )
        return user_id

    def user_name(self, user_id: str) -> str:
        """Return a user's full name."""
        return self.users[user_id].name

    def activity_type(self, code: int) -> ActivityType:
        """Return the type of an event code."""
        if code not in self.activity_types:
            custom = code >= _FIRST_CUSTOM
            name = f"{'Custom' if custom else 'System'} activity {code}"
            self.activity_types[code] = ActivityType(name, custom)
        return self.activity_types[code]

    def is_custom(self, code: int) -> bool:
        """Return whether the activities of an event code are custom ones."""
        return self.activity_type(code).custom

    def task_type(self, type_id: str) -> str:
        """Return the name of a task type."""
        if type_id not in self.task_types:
            self.task_types[type_id] = f"Task type {len(self.task_types) + 1}"
        return self.task_types[type_id]
