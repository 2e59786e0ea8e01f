"""Types of the operators' arguments, for type checkers, editors and YAML factories. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Required, TypeAlias, TypedDict

from airflow_provider_leadreset.compat import XComArg
from airflow_provider_leadreset.leadsquared.sentinels import EntireHistory, NotGiven

Id: TypeAlias = str | Mapping[str, Any] | XComArg
LeadIds: TypeAlias = Id | Sequence[Id | Sequence[Id]] | NotGiven
Text: TypeAlias = str | XComArg | NotGiven
Value: TypeAlias = str | XComArg
Codes: TypeAlias = Sequence[int | str | XComArg] | str | XComArg | NotGiven
Names: TypeAlias = Sequence[str | XComArg] | str | XComArg | NotGiven
Flag: TypeAlias = bool | str | XComArg
WindowText: TypeAlias = str | EntireHistory | XComArg | NotGiven
PlanOutput: TypeAlias = Mapping[str, Any] | str | XComArg | NotGiven
Approval: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | XComArg | NotGiven
Seconds: TypeAlias = timedelta | float | NotGiven

_Callbacks: TypeAlias = Callable[[Any], Any] | Collection[Callable[[Any], Any]] | None


class BaseOperatorArguments(TypedDict, total=False):
    """What BaseOperator takes in Airflow 2.11 to 3.3, so that a type checker refuses a misspelt argument."""

    task_id: Required[str]
    owner: str
    email: str | Sequence[str] | None
    email_on_retry: bool
    email_on_failure: bool
    retries: int | None
    retry_delay: timedelta | float
    retry_exponential_backoff: float
    max_retry_delay: timedelta | float | None
    retry_policy: Any
    start_date: datetime | None
    end_date: datetime | None
    depends_on_past: bool
    ignore_first_depends_on_past: bool
    wait_for_past_depends_before_skipping: bool
    wait_for_downstream: bool
    dag: Any
    params: MutableMapping[str, Any] | None
    default_args: dict[str, Any] | None
    priority_weight: int
    weight_rule: Any
    queue: str
    pool: str | None
    pool_slots: int
    sla: timedelta | None
    execution_timeout: timedelta | None
    on_execute_callback: _Callbacks
    on_failure_callback: _Callbacks
    on_success_callback: _Callbacks
    on_retry_callback: _Callbacks
    on_skipped_callback: _Callbacks
    pre_execute: Callable[[Any], None] | None
    post_execute: Callable[[Any, Any], None] | None
    trigger_rule: str
    resources: dict[str, Any] | None
    run_as_user: str | None
    task_concurrency: int | None
    map_index_template: str | None
    max_active_tis_per_dag: int | None
    max_active_tis_per_dagrun: int | None
    executor: str | None
    executor_config: dict[str, Any] | None
    do_xcom_push: bool
    multiple_outputs: bool
    inlets: Any
    outlets: Any
    task_group: Any
    doc: str | None
    doc_md: str | None
    doc_json: str | None
    doc_yaml: str | None
    doc_rst: str | None
    task_display_name: str | None
    logger_name: str | None
    allow_nested_operators: bool
    render_template_as_native_obj: bool | None
