"""One lead, what to delete, in which window: the body of one Lead.Reset call."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, describe_none
from airflow_provider_leadreset.leadsquared.text import quoted

T = TypeVar("T")

AUDITS = ("StageChange", "OwnerChange")
"""The audits that LeadSquared can delete (documented), spelled as the API spells them."""

_NOTHING_NAMED = (
    "nothing to delete was named: give at least one of activity_event_list, task_type_list, "
    f"audit_activity_list (of {', '.join(AUDITS)}) or should_delete_prospect_notes=True"
)


@dataclass(frozen=True, slots=True)
class Selectors:
    """Which kinds of records to delete, checked: :func:`parse_selectors` makes them of what templates give.

    :param activity_event_list: codes of custom activity events. That system activities are never deleted
        is documented; what an unknown code does is not.
    :param task_type_list: GUIDs of task types, whose tasks to delete.
    :param audit_activity_list: ``"StageChange"`` and/or ``"OwnerChange"``.
    :param should_delete_prospect_notes: whether to delete the leads' notes.

    A selector that was not asked for (empty, False) is left out of the body.
    """

    activity_event_list: tuple[int, ...] = ()
    task_type_list: tuple[str, ...] = ()
    audit_activity_list: tuple[str, ...] = ()
    should_delete_prospect_notes: bool = False

    def body(self) -> dict[str, Any]:
        """Return the selectors as the API names them, those that were asked for only."""
        fields: dict[str, object] = {
            "TaskTypeList": list(self.task_type_list),
            "ActivityEventList": list(self.activity_event_list),
            "ShouldDeleteProspectNotes": self.should_delete_prospect_notes,
            "AuditActivityList": list(self.audit_activity_list),
        }
        return {name: value for name, value in fields.items() if value}

    def arguments(self) -> dict[str, Any]:
        """Return them as the operators' arguments, those that were asked for only."""
        fields: dict[str, object] = {
            "activity_event_list": list(self.activity_event_list),
            "task_type_list": list(self.task_type_list),
            "audit_activity_list": list(self.audit_activity_list),
            "should_delete_prospect_notes": self.should_delete_prospect_notes,
        }
        return {name: value for name, value in fields.items() if value}

    def describe(self) -> str:
        """Describe for a log what is asked for."""
        parts = []
        if self.activity_event_list:
            parts.append(f"activities of event {', '.join(map(str, self.activity_event_list))}")
        if self.task_type_list:
            parts.append(f"tasks of type {', '.join(self.task_type_list)}")
        if self.audit_activity_list:
            parts.append(f"{' and '.join(self.audit_activity_list)} audits")
        if self.should_delete_prospect_notes:
            parts.append("notes")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class LeadReset:
    """One lead's reset. There is no such object without a window, so no body without both dates.

    :param prospect_id: the lead's GUID.
    :param selectors: what to delete.
    :param window: records created in which span (UTC; that CreatedOn decides is inferred).
    :raises InputError: ``prospect_id`` is no GUID, ``window`` or ``selectors`` is of another type, or ``selectors``
        names nothing, or something that :func:`parse_selectors` refuses.
    """

    prospect_id: str
    selectors: Selectors
    window: Window

    def __post_init__(self) -> None:
        # A frozen dataclass is set this way in its own __post_init__ only.
        object.__setattr__(self, "prospect_id", parse_guid(self.prospect_id, "prospect_id"))
        if not isinstance(self.selectors, Selectors) or not isinstance(self.window, Window):
            raise InputError(
                "a LeadReset needs Selectors and a Window: without dates LeadSquared would delete everything"
            )
        # Selectors can be made by hand, of texts and lists: LeadSquared would be sent a text that counts as true.
        object.__setattr__(
            self,
            "selectors",
            parse_selectors(
                self.selectors.activity_event_list,
                self.selectors.task_type_list,
                self.selectors.audit_activity_list,
                self.selectors.should_delete_prospect_notes,
            ),
        )

    def body(self) -> dict[str, Any]:
        """Return the JSON body of ``LeadManagement.svc/Lead.Reset`` (documented)."""
        return {
            "ProspectId": self.prospect_id,
            **self.selectors.body(),
            "FromDate": self.window.from_date,
            "ToDate": self.window.to_date,
        }


def parse_selectors(
    activity_event_list: object = NOT_GIVEN,
    task_type_list: object = NOT_GIVEN,
    audit_activity_list: object = NOT_GIVEN,
    should_delete_prospect_notes: object = False,
) -> Selectors:
    """Parse selectors as an operator gets them, after templates were rendered: lists, or text made of them.

    :param activity_event_list: whole numbers, or their text.
    :param task_type_list: GUIDs.
    :param audit_activity_list: of :data:`AUDITS`.
    :param should_delete_prospect_notes: True, False, or exactly that text.
    :returns: each value once, in the order given.
    :raises InputError: a value of another kind, None among them, or no selector at all.
    """
    selectors = Selectors(
        parse_items("activity_event_list", activity_event_list, _event_code),
        parse_items("task_type_list", task_type_list, _task_type),
        parse_items("audit_activity_list", audit_activity_list, _audit),
        _flag(should_delete_prospect_notes),
    )
    if not selectors.body():
        raise InputError(_NOTHING_NAMED)
    return selectors


def parse_items(name: str, value: object, parse: Callable[[object], T]) -> tuple[T, ...]:
    """Parse a list of values, as people, code and templates give one; each counts once.

    :param name: of the argument.
    :param parse: makes an item of a value.
    :raises InputError: it is None or holds it, it is no list, or an item is refused.
    """
    items = _items(name, value)
    # Told by identity: pandas' NA, or an array, can be compared with nothing.
    if any(item is None for item in items):
        raise InputError(describe_none(f"an item of {name}"))
    return tuple(dict.fromkeys(map(parse, items)))


def _items(name: str, value: object) -> Sequence[object]:
    """Parse a list as given, or the text that a template makes of one: JSON, a Python list, or ``a, b``."""
    if value is NOT_GIVEN:
        return ()
    if value is None:
        raise InputError(describe_none(name))
    if isinstance(value, str):
        return _text_items(name, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    # No sets: their order differs between two tries of a task. Bytes are sequences of numbers, which are no codes.
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise InputError(f"{name} is {quoted(value)}: give a list, or leave it out to leave this kind alone")


def _text_items(name: str, text: str) -> Sequence[object]:
    text = text.strip()
    if not text or text in {"None", "null"}:
        raise InputError(
            f"{name} rendered to {quoted(text)}, which is nothing: give a list, "
            "or leave the argument out to leave this kind alone"
        )
    if text[0] in "[(":
        for read in (json.loads, _python_list):
            try:
                values = read(text)
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue  # the last three: an unhashable key, brackets without end
            if isinstance(values, (list, tuple)):
                return values
        raise InputError(
            f"{name} is {quoted(text)}, which is no readable list: write it as '[1, 2]' or '1, 2'"
        )
    return [part.strip() for part in text.split(",")]


def _python_list(text: str) -> object:
    """Return a list as Python shows one; None for what Python reads otherwise than people do.

    An array of numpy's is shown as ``['16' '6']``, which is one text to Python, and ``1_66`` is a number to it.

    :raises ValueError: it is none; SyntaxError, TypeError, RecursionError and MemoryError likewise.
    """
    tree = ast.parse(text, mode="eval")
    lines = text.encode().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            written = lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode()
            mark = written[:1]
            if written != (f"{mark}{node.value}{mark}" if isinstance(node.value, str) else repr(node.value)):
                return None
    return ast.literal_eval(tree)


def _event_code(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**9:
        raise InputError(
            f"activity_event_list holds {quoted(value)}: an event code is a whole number such as 166 "
            "(in LeadSquared: Settings > Leads > Custom Activities & Scores, column Code)"
        )
    return int(value)  # of an enum's member


def _task_type(value: object) -> str:
    try:
        return parse_guid(value, "task_type_list")
    except InputError as error:
        raise InputError(f"{error}; task_types() of a LeadResetHook gives the account's by name") from None


def _audit(value: object) -> str:
    if not isinstance(value, str) or value not in AUDITS:
        raise InputError(
            f"audit_activity_list holds {quoted(value)}: LeadSquared knows {' and '.join(AUDITS)}, spelled so"
        )
    return AUDITS[AUDITS.index(value)]


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value is None:
        raise InputError(describe_none("should_delete_prospect_notes"))
    if isinstance(value, str) and value in ("True", "False"):
        return value == "True"
    raise InputError(
        f"should_delete_prospect_notes is {quoted(value)}: only True, False or exactly the text 'True' or 'False' "
        "is taken, since any other text would count as true"
    )
