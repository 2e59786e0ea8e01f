"""How the emulated account behaves where LeadSquared's behaviour is not known, or differs between accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

Mover = Literal["activity", "note", "task", "stage", "owner", "reset"]
"""What may move a lead's LeadLastModifiedOn."""


_DAY = 86_400
_SECONDS = ("last_modified_lag", "replica_lag", "automation_every")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way in which an account may behave. Every default is documented or, failing that, most often seen.

    Where a default is neither, its line says that it is a guess.

    :raises ValueError: when a value is none of those that a field takes.
    """

    task_id_key: Literal["documented", "TaskID", "UserTaskId"] = "documented"
    """What a task's row calls its id: TaskID in RetrieveTaskByLeadId and UserTaskId in Task.svc/Retrieve
    (documented), or one of them in both."""
    lead_id_key: Literal["ProspectID", "ProspectId"] = "ProspectID"
    """What ByIds and BySearchParameter call a lead's id (ProspectID seen; documented is neither)."""
    notes_key: Literal["List", "Notes"] = "List"
    """What RetrieveNote calls its rows (List documented, Notes seen in an older copy)."""
    mirror_rows: bool = False
    """Whether a row of code 3011 with the same Id stands before each custom activity (seen; how common is not)."""
    mirrors_kept: bool = False
    """Whether such rows stay when a reset deletes the activity (a guess either way)."""
    audits_shown: bool = True
    """Whether stage changes are readable as activities of code 3002, owner changes as 3001 (seen on three
    accounts)."""

    paging: Literal["both", "offset", "page_index"] = "both"
    """Which paging fields are honoured: Offset and RowCount, PageIndex and PageSize, or either (each call documents
    one pair only; a guess). Of both, PageIndex wins (a guess)."""
    offset_means: Literal["pages from 1", "pages from 0", "rows"] = "pages from 1"
    """What Offset counts. Documented: pages, with samples of 0 and 1; here both give the first page, a guess. Rows
    were seen. In Task.svc/Retrieve it is always rows (documented)."""
    page_cap: Literal[25, 200, 500] | None = None
    """A larger page is silently cut to so many rows (200 and 500 seen for tasks, 25 claimed for activities). None:
    up to 1000, leads 5000, and more is an error (seen)."""
    task_cap: Literal[25, 200] | None = None
    """RetrieveTaskByLeadId gives at most so many tasks; it has no paging (none documented; one client says no cap)."""
    beyond_the_end: Literal["empty", "last page again", "error"] = "empty"
    """What a page past the end gives (a guess)."""
    counts: Literal["all", "page", "none"] = "all"
    """What RecordCount counts: all rows (seen), those of the page, or it is absent."""
    note_counts: bool = False
    """Whether RetrieveNote has a RecordCount (its sample has none)."""

    notes_api: bool = True
    """Whether the account has the note calls; where not, they answer 404 (seen on one account)."""
    types_api: bool = True
    """Whether ActivityTypes.Get is there; where not, it answers 404 (its page was not found)."""
    event_types_shown: bool = True
    """Whether its rows have an EventType, 2 for custom (seen)."""
    key_check: Literal["documented", "first and last name"] = "documented"
    """Whose keys they are, as told by the key check: Name and PassPhrase, with EmailAddress null (documented), or
    FirstName, LastName and EmailAddress (seen)."""

    unknown_lead: Literal["refused", "ignored"] = "refused"
    """What Lead.Reset does with an unknown lead: an error, or queued without effect (a guess)."""
    unknown_types: Literal["ignored", "refused", "in vain"] = "ignored"
    """What it does with event codes and task types that the account does not have (a guess). In vain: the call is
    queued and deletes nothing at all."""
    system_events: Literal["ignored", "refused", "in vain"] = "ignored"
    """What it does with the codes of system activities, which it never deletes (documented; a guess how)."""
    lost_resets: Literal["none", "one in ten"] = "none"
    """Whether resets that were accepted get lost, at random (a guess)."""
    replica_lag: int = 0
    """Seconds until a read shows what was written or deleted (a guess; a read from a replica lags)."""
    activity_date: Literal["CreatedOn", "ModifiedOn", "ActivityDateTime"] = "CreatedOn"
    """Which date of an activity FromDate and ToDate compare with (inferred, as for the other kinds: the page
    speaks of records created)."""
    task_date: Literal["CreatedOn", "DueDate", "ModifiedOn"] = "CreatedOn"
    note_date: Literal["CreatedOn", "ModifiedOn"] = "CreatedOn"
    audit_date: Literal["CreatedOn", "ModifiedOn"] = "CreatedOn"
    from_included: bool = True
    """Whether a record of the very moment of FromDate is deleted (a guess)."""
    to_included: bool = True
    """Whether one of the very moment of ToDate is (inferred: the page's sample ends with the last second of a day)."""
    fractions: Literal["compared", "dropped"] = "compared"
    """Whether a record's fraction of a second is compared, or cut off before (a guess)."""
    fractions_kept: bool = True
    """Whether the moment at which a call creates a record is kept to its fraction of a second (a guess)."""
    fractions_shown: bool = True
    """Whether fractions of a second are shown (seen; other answers show whole seconds or .000)."""
    activity_time_sets: Literal["ActivityDateTime", "CreatedOn"] = "ActivityDateTime"
    """What the ActivityDateTime of a created activity becomes: a date of its own, or its CreatedOn (a guess)."""
    update_calls: bool = True
    """Whether the calls that change an activity, a task or a note are there (the first documented, the others
    seen); where not, they answer 404."""

    moves_last_modified: frozenset[Mover] = frozenset({"activity", "stage", "owner"})
    """What moves a lead's LeadLastModifiedOn: a new activity (seen); a change of stage or owner, since either
    changes the lead itself and is posted as an activity (inferred). That a note, a task and a reset do not is a
    guess, the one that a client must not be fooled by."""
    still_events: frozenset[int] = frozenset()
    """Event codes whose new activities do not move it, where activities do (a guess: that all codes do alike)."""
    last_modified_lag: int = 0
    """Seconds until such a move can be read (a guess)."""
    last_modified_zone: Literal["UTC", "Asia/Kolkata"] = "UTC"
    """In which time zone LeadLastModifiedOn is written (UTC documented for all times)."""
    automation_every: int = 0
    """An automation changes every lead about each so many seconds, at moments that drift; 0 for none (a guess)."""

    throttle_status: Literal["429", "200", "403"] = "429"
    """How throttling looks: 429 (documented), an error envelope under 200 or the text under 403 (both seen)."""
    throttle_text: Literal["documented", "too many requests", "rate limit"] = "documented"
    """What it says: that the limit was exceeded (documented), or other words that clients look for."""
    errors_as: Literal["500", "200 failed"] = "500"
    """How logical errors look: an MX envelope under 500, or Status Failed under 200 (both seen)."""

    def __post_init__(self) -> None:
        for name, choices in _choices().items():
            value = getattr(self, name)
            if not any(type(value) is type(choice) and value == choice for choice in choices):
                raise ValueError(f"dialect {name} must be {_listed(choices)}, not {value!r}")
        object.__setattr__(self, "moves_last_modified", _movers(self.moves_last_modified))
        object.__setattr__(self, "still_events", _event_codes(self.still_events))
        for name in _SECONDS:
            seconds = getattr(self, name)
            if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= _DAY:
                raise ValueError(f"dialect {name} must be whole seconds, from 0 to {_DAY}, not {seconds!r}")

    @classmethod
    def of(cls, given: Dialect | Mapping[str, Any] | None) -> Dialect:
        """Return the dialect that is given, as such, as a mapping of names to values, or as None for the default.

        :raises ValueError: for a name or a value that there is not.
        :raises TypeError: for what is none of the three.
        """
        if given is None:
            return cls()
        if isinstance(given, Dialect):
            return given
        if not isinstance(given, Mapping):
            raise TypeError(f"a dialect is a Dialect, a mapping or None, not {given!r}")
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                raise ValueError(f"a dialect has no {name!r}; it has {', '.join(names)}")
        return cls(**given)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Dialect:
        """Return the dialect of a command line.

        :param texts: each ``name=value``, or a JSON object of several; the last word on a name counts.
        :raises ValueError: as :meth:`of`, and for what is neither.
        """
        values: dict[str, object] = {}
        for text in texts:
            values.update(_object(text) if text.lstrip().startswith("{") else _pair(text))
        return cls.of(values)

    def as_json(self) -> dict[str, object]:
        """Return the dialect as JSON-able values, as :meth:`of` takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {name: sorted(values[name]) for name in ("moves_last_modified", "still_events")}


@cache
def _choices() -> dict[str, tuple[object, ...]]:
    """Return the values of each field that has a fixed number of them."""
    found: dict[str, tuple[object, ...]] = {}
    for name, hint in get_type_hints(Dialect).items():
        if hint is bool:
            found[name] = (True, False)
        elif get_origin(hint) is Literal:
            found[name] = get_args(hint)
        elif type(None) in get_args(hint):
            found[name] = (None, *(value for part in get_args(hint) for value in get_args(part)))
    return found


def _listed(choices: tuple[object, ...]) -> str:
    texts = [repr(choice) for choice in choices]
    return f"{', '.join(texts[:-1])} or {texts[-1]}"


def _movers(given: object) -> frozenset[object]:
    known = get_args(Mover)
    names = _items(given)
    for name in names:
        if name not in (*known, ""):
            raise ValueError(f"dialect moves_last_modified must be some of {', '.join(known)}, not {name!r}")
    return frozenset(name for name in names if name)


def _event_codes(given: object) -> frozenset[int]:
    codes = []
    for one in (item for item in _items(given) if item != ""):
        code = (
            int(one) if isinstance(one, str) and one.isascii() and one.isdecimal() and len(one) < 10 else one
        )
        if isinstance(code, bool) or not isinstance(code, int) or code < 1:
            raise ValueError(f"dialect still_events must be event codes such as 201, not {one!r}")
        codes.append(code)
    return frozenset(codes)


def _items(given: object) -> list[object]:
    # Text is a list by commas, as on the command line; what cannot be gone through is quoted as it is.
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, Iterable) else [given]
    return [part.strip() if isinstance(part, str) else part for part in parts]


def _object(text: str) -> dict[str, object]:
    try:
        # What begins with a brace is an object or no JSON.
        found: dict[str, object] = json.loads(text)
    except ValueError:
        raise ValueError(f"dialect {text!r} is no JSON object") from None
    return found


def _pair(text: str) -> dict[str, object]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise ValueError(f"dialect {text!r} is neither name=value nor a JSON object")
    if name in _SECONDS and value.isdecimal():
        return {name: int(value)}
    for choice in _choices().get(name, ()):
        # Case counts in names: ProspectID is not ProspectId. It does not in true, false and none.
        if value == choice or (not isinstance(choice, str) and value.lower() == str(choice).lower()):
            return {name: choice}
    # Not a value of the field, or no field at all: the dialect itself says so, quoting it.
    return {name: value}
