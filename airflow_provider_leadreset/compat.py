"""The few Airflow names this provider needs, from where Airflow 3 and Airflow 2.11 keep them.

Airflow's own compatibility package is not used: managed services pin a version of it on Airflow 2.11 that
does not have these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import (
        Asset,
        BaseHook,
        BaseOperator,
        BaseOperatorLink,
        BaseSensorOperator,
        Context,
        ObjectStoragePath,
        PokeReturnValue,
        TaskGroup,
        XComArg,
        get_current_context,
    )
    from airflow.sdk.definitions.asset import AssetAlias, AssetRef
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSkipException,
        AirflowTaskTimeout,
    )
    from airflow.sdk.execution_time.xcom import XCom
    from airflow.sdk.lineage import get_hook_lineage_collector
    from airflow.sdk.log import mask_secret
else:
    try:
        from airflow.sdk import BaseOperator
    except ImportError:
        from airflow.models.baseoperator import BaseOperator

_ELSEWHERE = {
    "Asset": ("airflow.sdk", "airflow.datasets:Dataset"),
    "AssetAlias": ("airflow.sdk", "airflow.datasets:DatasetAlias"),
    "AssetRef": ("airflow.sdk.definitions.asset",),  # not in 2.11
    "BaseHook": ("airflow.sdk", "airflow.hooks.base"),
    "BaseOperatorLink": ("airflow.sdk", "airflow.models.baseoperatorlink"),
    "BaseSensorOperator": ("airflow.sdk", "airflow.sensors.base"),
    "PokeReturnValue": ("airflow.sdk", "airflow.sensors.base"),
    "ObjectStoragePath": ("airflow.sdk", "airflow.io.path"),
    "TaskGroup": ("airflow.sdk", "airflow.utils.task_group"),
    "XComArg": ("airflow.sdk", "airflow.models.xcom_arg"),
    "get_current_context": ("airflow.sdk", "airflow.operators.python"),
    "XCom": ("airflow.sdk.execution_time.xcom", "airflow.models.xcom"),
    "get_hook_lineage_collector": ("airflow.sdk.lineage", "airflow.lineage.hook"),
    "mask_secret": ("airflow.sdk.log", "airflow.utils.log.secrets_masker"),
    "AirflowException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowFailException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowNotFoundException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowSkipException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowTaskTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),
}
"""Where the names stand that no DAG needs at parse time, and under which other name; looked up when first used."""

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSkipException",
    "AirflowTaskTimeout",
    "Asset",
    "AssetAlias",
    "AssetRef",
    "BaseHook",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Context",
    "ObjectStoragePath",
    "PokeReturnValue",
    "TaskGroup",
    "XCom",
    "XComArg",
    "get_current_context",
    "get_hook_lineage_collector",
    "is_airflow_2",
    "is_mapped",
    "mask_secret",
]


def is_airflow_2() -> bool:
    """Return whether this is Airflow 2."""
    return BaseOperator.__module__.startswith("airflow.models")


def is_mapped(task: BaseOperator) -> bool:
    """Return whether a worker makes this task out of a mapped one, rather than a DAG file as it stands.

    Nothing public tells; Airflow 2.11 to 3.3 set this before the task's own ``__init__`` runs.
    """
    return bool(getattr(task, "_BaseOperator__from_mapped", False))


def __getattr__(name: str) -> object:
    from importlib import import_module

    for place in _ELSEWHERE.get(name, ()):
        module, _, other_name = place.partition(":")
        try:
            return getattr(import_module(module), other_name or name)
        except (ImportError, AttributeError):
            continue
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
