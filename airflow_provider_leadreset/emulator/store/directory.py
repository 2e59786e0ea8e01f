"""An account's users, activity types and task types."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_leadreset.emulator.store.entities import FIRST_CUSTOM_EVENT, User, guid

# Codes seen in use by system activities in public integrations.
_SYSTEM_EVENTS = {21: "Inbound Phone Call Activity", 22: "Outbound Phone Call Activity", 23: "Lead Capture"}


@dataclass
class Directory:
    """Names for ids. Whatever a record refers to and is not known yet is added under a made-up name."""

    new_id: Callable[[], str]
    users: dict[str, User] = field(default_factory=dict)
    activity_types: dict[int, str] = field(default_factory=lambda: dict(_SYSTEM_EVENTS))
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

    def activity_type(self, code: int) -> str:
        """Return the name of an event code."""
        if code not in self.activity_types:
            kind = "Custom activity" if code >= FIRST_CUSTOM_EVENT else "System activity"
            self.activity_types[code] = f"{kind} {code}"
        return self.activity_types[code]

    def task_type(self, type_id: str) -> str:
        """Return the name of a task type."""
        if type_id not in self.task_types:
            self.task_types[type_id] = f"Task type {len(self.task_types) + 1}"
        return self.task_types[type_id]
