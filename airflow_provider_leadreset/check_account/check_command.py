"""The command line of the account check."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from airflow_provider_leadreset.check_account.check_table import cost_text, result_text
from airflow_provider_leadreset.check_account.shell_hook import (
    ACCESS_KEY,
    SECRET_KEY,
    EnvironmentHook,
    StoredConnectionHook,
)
from airflow_provider_leadreset.exceptions import (
    LeadResetAccessError,
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetRejectedError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.leadsquared.account_check.check_options import (
    MOST_CODES,
    cost_of,
    parse_check_options,
)
from airflow_provider_leadreset.leadsquared.api.account_findings import PATIENCE
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, NotGiven
from airflow_provider_leadreset.leadsquared.text import quoted, scrubbed

if TYPE_CHECKING:
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock
    from airflow_provider_leadreset.leadsquared.account_check.check_options import CheckCost, CheckOptions

DESCRIPTION = f"""Find out how an account behaves where LeadSquared is not documented, with a throw-away lead.

Without --yes it says what it would cost, and does nothing. The account is that of an Airflow connection (--conn-id), or
--host with the keys in the environment variables {ACCESS_KEY} and {SECRET_KEY}.
"""
EXIT_CODES = """exit status:
  0    the account was checked, or, without --yes, the cost was said
  1    the account could not be asked: wrong keys, no rights, no answer
  2    what was given cannot be used, an unknown connection and a file that cannot be written among it
  130  stopped by Ctrl-C: nothing was found out, and the last lines say what stays in the account
"""
_OPTIONS = ("lead", "activity_event", "task_type", "stage", "owner", "patience")


def main(
    arguments: Sequence[str] | None = None,
    *,
    out: TextIO | NotGiven = NOT_GIVEN,
    clock: CheckClock | NotGiven = NOT_GIVEN,
) -> int:
    """Run the command.

    :param out: where the result goes with ``--json -``, and nothing else does; by default standard output.
    :param clock: injected in tests.
    :returns: the exit status, see :data:`EXIT_CODES`.
    """
    result_to = sys.stdout if isinstance(out, NotGiven) else out
    parser = _parser()
    with redirect_stdout(result_to):
        known, others = parser.parse_known_args(arguments)
    if others:
        parser.error(f"not known: {_names(others)}")
    given = vars(known)
    try:
        if "json" in given:
            _refuse_unwritable(given["json"])
        # Airflow logs to standard output.
        with redirect_stdout(sys.stderr):
            result = _checked(given, clock)
        if result is not None:
            _write(given.get("json"), result, result_to)
    except (InputError, LeadResetInputError, LeadResetResourceError, OSError) as error:
        _say(f"{parser.prog}: {scrubbed(str(error))}")
        return 2
    except (LeadResetAccessError, LeadResetRejectedError, LeadResetFailedError) as error:
        _say(f"{parser.prog}: {scrubbed(str(error))}")
        return 1
    except KeyboardInterrupt:
        # What stays was said by the check itself.
        _say(f"{parser.prog}: stopped, and nothing was found out")
        return 130
    return 0


def _checked(given: dict[str, Any], clock: CheckClock | NotGiven) -> dict[str, Any] | None:
    """Check the account, or say what that would cost, and return the result; None if there is none."""
    options = {name: given[name] for name in _OPTIONS if name in given}
    hook = _hook(given)
    if not given["yes"]:
        _say(cost_text(*_cost(hook, options)))
        return None
    result = hook.check_account(**options, say=_say, clock=clock)
    _say(result_text(result))
    return result.as_json()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_leadreset.check_account",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        # --yes is not said by --y.
        allow_abbrev=False,
    )
    account = parser.add_mutually_exclusive_group(required=True)
    account.add_argument("--conn-id", metavar="C", help="an Airflow connection of type leadsquared")
    account.add_argument("--host", help="the account's API host; the keys are in the environment, see above")
    parser.add_argument(
        "--calls-per-5s",
        type=int,
        metavar="N",
        help="with --host: what the account's plan allows (default: 25)",
    )
    parser.add_argument("--yes", action="store_true", default=False, help="do it")
    parser.add_argument(
        "--lead", metavar="GUID", help="a lead without a record of any kind, in place of a new one"
    )
    parser.add_argument(
        "--activity-event",
        type=int,
        action="append",
        metavar="CODE",
        help="a custom activity, to ask about activities; again for each other code that skip_unmodified is to be used "
        f"with, up to {MOST_CODES}",
    )
    parser.add_argument("--task-type", metavar="NAME", help="name or id of a task type, to ask about tasks")
    parser.add_argument("--stage", metavar="NAME", help="a stage to change the lead to and back")
    parser.add_argument("--owner", metavar="ID", help="a user to change the lead's owner to and back")
    parser.add_argument(
        "--patience",
        type=float,
        metavar="SECONDS",
        help=f"how long what stays is watched at least (default: {PATIENCE:.0f}; less for an emulator only)",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="also write the result as JSON; - for standard output, which then holds nothing else",
    )
    return parser


def _hook(given: dict[str, Any]) -> LeadResetHook:
    if "conn_id" in given:
        if "calls_per_5s" in given:
            raise InputError("--calls-per-5s goes with --host: a connection says it itself")
        return StoredConnectionHook(given["conn_id"])
    return EnvironmentHook(given["host"], given.get("calls_per_5s", 25))


def _cost(hook: LeadResetHook, options: dict[str, object]) -> tuple[CheckCost, str, CheckOptions]:
    client = hook.get_conn()
    try:
        asked = parse_check_options(**options, host=client.host)
    finally:
        client.close()
    return cost_of(asked, hook.settings.calls_per_5s), client.host, asked


def _names(others: Sequence[str]) -> str:
    """Return the names of arguments, without their values: somebody may have given a key."""
    names = [one.partition("=")[0] for one in others if one.startswith("--")]
    values = "a value without an option" if len(names) < len(others) else ""
    return ", ".join([*names, *filter(None, [values])])


def _refuse_unwritable(place: str) -> None:
    """Refuse a file that the result could not be written to, before anything is asked of the account."""
    if place == "-":
        return
    path = Path(place)
    try:
        is_new = not path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if is_new:
            path.unlink()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"--json is {quoted(place)}, which cannot be written: {why}") from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write(place: str | None, result: dict[str, object], out: TextIO) -> None:
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if place == "-":
        print(text, file=out, flush=True)
    elif place is not None:
        Path(place).write_text(f"{text}\n", encoding="utf-8")
