"""One DAG for each way: the same leads, the same request. Run by the benchmark only, which sets the variables."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG, task
from work import ENDPOINT, EVENT_CODES, WINDOW, lead_ids, request_body

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

LEADS = lead_ids(int(os.environ["BENCH_LEADS"]))


def a_dag(dag_id: str) -> DAG:
    return DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)


def accepted(response: Any) -> bool:
    return bool(response.json().get("Status") == "Success")


def http_resets(**kwargs: Any) -> None:
    HttpOperator.partial(
        task_id="reset",
        http_conn_id="bench_http",
        endpoint=ENDPOINT,
        method="POST",
        headers={"Content-Type": "application/json"},
        response_check=accepted,
        retries=5,
        retry_delay=timedelta(seconds=5),
        **kwargs,
    ).expand(data=[json.dumps(request_body(lead)) for lead in LEADS])


with a_dag("bench_empty"):

    @task
    def nothing() -> None:
        pass

    nothing()

with a_dag("bench_operator"):
    # All 25 slots of the account's pool: the whole limit is this task's.
    LeadResetOperator(
        task_id="reset",
        prospect_ids=LEADS,
        activity_event_list=EVENT_CODES,
        window=WINDOW,
        pool="leadsquared_default",
        pool_slots=25,
    )

with a_dag("bench_http_expand"):
    http_resets()

with a_dag("bench_http_expand_pool"):
    http_resets(pool="bench_5")

for name in ("limits", "pyrate"):
    with a_dag(f"bench_{name}"):

        @task
        def reset(limiter: str) -> None:
            from threads import reset_all

            headers = json.loads(os.environ["BENCH_HEADERS"])
            lost = reset_all(limiter, os.environ["BENCH_URL"], headers, LEADS)
            print(f"{lost} leads lost")

        reset(name)
