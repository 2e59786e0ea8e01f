"""Who said yes, and to what: the answer of Airflow's ApprovalOperator, or what stands for one elsewhere."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.reason import UNRENDERED
from airflow_provider_leadreset.leadsquared.safety.ticket_moments import (
    exact_moment,
    latest_moment,
    said_times,
)
from airflow_provider_leadreset.leadsquared.safety.ticket_words import (
    DIGESTS,
    is_somebody,
    plain_name,
    says_failure,
    says_no,
)
from airflow_provider_leadreset.leadsquared.text import quoted, without_invisible

APPROVE = "Approve"
"""The option of the ApprovalOperator that means yes."""

REJECT = "Reject"
"""The option of the ApprovalOperator that means no."""

SLACK = timedelta(seconds=60)
"""How much older than the plan an answer may be: clocks of two machines differ."""

DIGEST_PARAM = "digest"
"""Name of the param into which the approver types what tells the plan."""

DIGEST_CHARACTERS = 8
"""Characters of a plan's digest that the approver types."""

_AROUND_DIGEST = " \t\r\n\u00a0`'\"\u2018\u2019\u201c\u201d\u2026."
"""Signs that stand around a copied digest: blanks, quotes, and what says that it goes on."""

MOST_CHARACTERS = 200_000
"""How long an approval may be as JSON. It is kept in XCom; an answer has some 200 characters."""

_FORMS = (
    'Give the output of an ApprovalOperator, approval=approve.output, or {"approved": True, "by": "who"} with whatever '
    "a ticket has to say"
)


def checked_approval(value: object) -> object:
    """Check an approval as an operator gets it, after templates were rendered.

    :param value: the ApprovalOperator's output (``chosen_options``, ``responded_by_user``, ``responded_at``), with
        exactly Approve and a person; or a mapping with ``approved`` being True and ``by`` naming somebody, whatever
        else it holds; or several of them, each of which must be a yes. Also the text that a template makes of such a
        mapping. Any other text is none.
    :returns: the value, as it can be kept.
    :raises InputError: it is no yes, holds an error or a template that was not rendered, or is no JSON.
    """
    try:
        value = _plain(value)
        for answer in _answers(value):
            _refuse_failures(answer)
            _refuse_no(answer)
    except RecursionError:
        raise InputError("approval is nested too deep: give the part of the ticket that matters") from None
    return _kept(value)


def is_rejected(value: object) -> bool:
    """Return whether an approval, as an operator gets it, is Airflow's answer with exactly Reject."""
    return isinstance(value, Mapping) and value.get("chosen_options") in ([REJECT], (REJECT,))


def check_against_plan(
    approval: object, *, digest: str, finished_at: datetime, must_name_plan: bool = False
) -> None:
    """Refuse an approval that was given before the plan was finished, or to another.

    :param approval: as :func:`checked_approval` gave it.
    :param digest: of the plan.
    :param finished_at: when it was finished, aware: nobody can have seen it before.
    :param must_name_plan: whether an answer without anything typed is refused, too.
    :raises InputError: an answer of Airflow's does not say when it was given; or one says it in a way that cannot be
        read, or was given more than a minute before the plan was finished; or what the approver typed is not how the
        plan's digest begins.
    """
    for answer in _answers(approval):
        for at in _times(answer):
            if at < finished_at - SLACK:
                raise InputError(
                    f"the approval was given at {at.isoformat()}, before the plan was finished at "
                    f"{finished_at.isoformat()}: it was not about this plan, so nothing is reset"
                )
        _refuse_other_digest(answer, digest)
        typed = _typed_digest(answer)
        if must_name_plan and not typed:
            raise InputError(
                f"the approver did not type how the plan's digest begins, {digest[:DIGEST_CHARACTERS]}: it cannot be "
                "told which plan was looked at, so nothing is reset. Clear the approval, and have it answered again"
            )
        if typed is not None and (len(typed) < DIGEST_CHARACTERS or not digest.startswith(typed.lower())):
            raise InputError(
                f"the approver typed {quoted(typed)}, and the digest of the plan begins with "
                f"{digest[:DIGEST_CHARACTERS]}: another plan was looked at, or it is a slip; nothing is reset. Clear "
                "the approval, and have it answered again"
            )


def refuse_for_lack_of_a_plan(approval: object) -> None:
    """Refuse an approval of a plan where none is given.

    :param approval: as :func:`checked_approval` gave it.
    :raises InputError: an approver typed a plan's digest.
    """
    for answer in _answers(approval):
        if (typed := _typed_digest(answer)) is not None:
            raise InputError(
                f"the approver typed {quoted(typed)}, which is of a plan, and the reset has none: give it, "
                "plan=preview.output"
            )


def _plain(value: object) -> object:
    """Read what a template has made a text of; make lists of sequences, such as a mapped task's output."""
    if isinstance(value, str) and value.strip().startswith(("[", "{", "(")):
        for read in (_from_json, _from_python):
            try:
                return _plain(read(value.strip()))
            except InputError:
                raise
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue  # the last three: an unhashable key, brackets without end
    if isinstance(value, str) and "chosen_options" in value:
        raise InputError(
            f"approval is {quoted(value)}, a text that cannot be read: give the output itself, approval=approve.output"
        )
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value


def _from_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_with_names_once)


def _from_python(text: str) -> object:
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.Dict):
            _with_names_once([(key.value, None) for key in node.keys if isinstance(key, ast.Constant)])
    return ast.literal_eval(text)


def _with_names_once(pairs: list[tuple[object, object]]) -> dict[object, object]:
    """Return a mapping of pairs; the last of two of one name would hide what the first says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"approval is a text in which {quoted(twice)} stands twice: nobody has said yes, so nothing is reset"
        )
    return found


def _answers(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the answers, those in lists of lists too.

    :raises InputError: something among them is no mapping, or a list holds nothing.
    """
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list) and value:
        for item in value:
            yield from _answers(item)
    else:
        text = " (a text does not tell who)" if isinstance(value, str) and value.strip() else ""
        raise InputError(
            f"approval is {quoted(value)}{text}: nobody has said yes, so nothing is reset. {_FORMS}"
        )


def _refuse_no(answer: Mapping[str, object]) -> None:
    if "chosen_options" in answer:
        _refuse_other_options(answer)
    elif "approved" not in answer:
        raise InputError(
            f"approval is {quoted(answer)}, which has no approved: nobody has said yes, so nothing is reset. {_FORMS}"
        )
    elif not is_somebody(answer.get("by")):
        raise InputError(
            f"approval has by={quoted(answer.get('by'))}: nobody has said yes, so nothing is reset. {_FORMS}"
        )
    for name, said in answer.items():
        if says_no(name, said):
            raise InputError(
                f"approval has {name}={quoted(said)}: nobody has said yes, so nothing is reset. {_FORMS}"
            )


def _refuse_other_options(answer: Mapping[str, object]) -> None:
    chosen = answer["chosen_options"]
    if not isinstance(chosen, (list, tuple)) or list(chosen) != [APPROVE]:
        raise InputError(f"the approval chose {quoted(chosen)}, not {APPROVE}: nothing is reset")
    # Airflow answers for nobody at the time-out, with the default; its own operators do not pass timedout on.
    by = answer.get("responded_by_user")
    named = (
        any(is_somebody(by.get(key)) for key in ("id", "name"))
        if isinstance(by, Mapping)
        else is_somebody(by)
    )
    if answer.get("timedout") or not named:
        raise InputError(
            "the approval was answered by its time-out, by nobody: nothing is reset. If somebody did answer, "
            "apache-airflow-providers-standard is older than 1.8 and does not say who"
        )


def _refuse_failures(value: object, *, names_tell: bool = True) -> None:
    """Refuse what a look-up or a template that failed leaves, however deep it lies in a ticket.

    :param names_tell: whether a key such as ``error`` tells of a failure: not among the DAG's own params.
    """
    if isinstance(value, str) and UNRENDERED.search(value):
        raise InputError(
            f"approval holds {quoted(value)}, a template that was not rendered, so nothing is reset. {_FORMS}"
        )
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if names_tell and says_failure(name, inner):
                raise InputError(
                    f"approval has {name}={quoted(inner)}: nobody has said yes, so nothing is reset"
                )
            # What stands there was typed by the approver, or by the DAG's author.
            are_params = name == "params_input" and "chosen_options" in value
            _refuse_failures(inner, names_tell=names_tell and not are_params)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_failures(item, names_tell=names_tell)


def _typed_digest(answer: Mapping[str, object]) -> str | None:
    """Return what the approver typed to tell the plan; None where there is no such param."""
    typed = answer.get("params_input")
    if not isinstance(typed, Mapping) or DIGEST_PARAM not in typed:
        return None
    return _bare_digest(typed[DIGEST_PARAM])


def _bare_digest(said: object) -> str:
    """Return a digest without what stands around it where it was copied from: in a log, a chat, or a file of sums."""
    text = without_invisible(str(said or "")).strip(_AROUND_DIGEST)
    return text[7:].strip(_AROUND_DIGEST) if text.lower().startswith("sha256:") else text


def _refuse_other_digest(answer: Mapping[str, object], digest: str) -> None:
    """Refuse a ticket that says which plan it is about, if it is another."""
    if "chosen_options" in answer:
        return
    for name, said in answer.items():
        if plain_name(name) not in DIGESTS or said is None or not str(said).strip():
            continue
        text = _bare_digest(said).lower()
        if len(text) < DIGEST_CHARACTERS or not digest.startswith(text):
            raise InputError(
                f"the approval has {name}={quoted(said)}, and the digest of the plan begins with "
                f"{digest[:DIGEST_CHARACTERS]}: it was about another plan, so nothing is reset"
            )


def _times(answer: Mapping[str, object]) -> Iterator[datetime]:
    """Yield the moments at which an answer says that it was given, each the latest that can be meant.

    :raises InputError: one cannot be read; or it is Airflow's, and has none.
    """
    if "chosen_options" in answer:
        yield _readable("responded_at", answer.get("responded_at"), exact_moment)
        return
    for name, said in said_times(answer):
        yield _readable(name, said, latest_moment)


def _readable(name: str, said: object, read: Callable[[object], datetime | None]) -> datetime:
    at = read(said)
    if at is None:
        raise InputError(
            f"the approval has {name}={quoted(said)}, which is no moment, so it cannot be told whether the plan was "
            'shown: nothing is reset. Write it as ISO 8601 with its offset, "2026-10-01T12:30:00+00:00"'
        )
    return at


def _kept(value: object) -> object:
    try:
        text = json.dumps(value, default=_as_text, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"approval is {quoted(value)}, which is no JSON value") from None
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"approval has {len(text)} characters as JSON, and is kept: give the part of the ticket that matters, at "
            f"most {MOST_CHARACTERS}"
        )
    return json.loads(text)


def _as_text(value: object) -> str:
    if isinstance(value, (date, UUID)):
        return str(value)
    raise TypeError
