"""The summary of a task that fails, as XCom. Of one that goes well, Airflow itself keeps what ``execute`` returns.

So it is written once in either case: an XCom backend with object storage would keep a second object for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from airflow_provider_leadreset.runtime.base import BaseRun

Run = TypeVar("Run", bound="BaseRun")
Given = ParamSpec("Given")
Result = TypeVar("Result")


def keeps_summary_of_failure(
    work: Callable[Concatenate[Run, Given], Result],
) -> Callable[Concatenate[Run, Given], Result]:
    """Push a run's output where a part of its work raises, once, however many parts it passes."""

    @wraps(work)
    def told(run: Run, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return work(run, *args, **kwargs)
        except BaseException:
            try:
                _push(run)
            except BaseException:  # a signal: what it interrupted is done again
                _push(run)
                raise
            raise

    return told


def _push(run: BaseRun) -> None:
    if run.summary_pushed or not run.output or not run.task.do_xcom_push or "ti" not in run.context:
        return
    ti: Any = run.context["ti"]
    try:
        ti.xcom_push(key="return_value", value=run.output)
        run.summary_pushed = True
    except Exception:  # a backend raises what it likes; how the work ended must not be hidden by it
        run.log.exception("This could not be kept: summary, as XCom")
