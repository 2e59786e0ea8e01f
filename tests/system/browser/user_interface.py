"""The running user interface, seen from outside: its addresses, and what its APIs say."""

from __future__ import annotations

import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page

from support.airflow_api import AirflowApi
from support.leadsquared_control import LeadSquaredControl
from support.processes import leftovers, wait_for

_WITHIN = 90.0


class UserInterface:
    """What `make ui` has started.

    :param process: the command.
    :param home: its folder.
    :param said: what it has printed.
    """

    def __init__(self, process: subprocess.Popen[str], home: Path, said: str) -> None:
        self.process = process
        self.home = home
        self.url, leadsquared_url = re.findall(r"http://127\.0\.0\.1:\d+", said)
        self.leadsquared_url = leadsquared_url
        self.leadsquared = LeadSquaredControl(leadsquared_url)
        self.airflow = AirflowApi(self.url)
        self.airflow.log_in()

    def processes(self) -> list[psutil.Process]:
        """The command and all that it has started."""
        return [psutil.Process(self.process.pid), *leftovers(str(self.home))]

    def params(self, dag_id: str) -> dict[str, Any]:
        """What Trigger gives a DAG when nothing is changed in its form."""
        params = self.airflow.ask("GET", f"/dags/{dag_id}/details")["params"]
        return {name: param["value"] for name, param in params.items()}

    def trigger(self, page: Page, dag_id: str) -> str:
        """Trigger a DAG as a person does, with the parameters its form shows; return the run's id."""
        page.goto(f"{self.url}/dags/{dag_id}")
        page.get_by_role("button", name="Trigger Dag").click()
        form = page.get_by_role("dialog")
        with page.expect_response(
            lambda response: response.url.endswith(f"/dags/{dag_id}/dagRuns")
        ) as answer:
            form.get_by_role("button", name="Trigger", exact=True).click()
        return str(answer.value.json()["dag_run_id"])

    def wait_for_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Wait until a task has that state."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        wait_for(f"{task_id} to be {state}", lambda: self.airflow.ask("GET", path)["state"] == state, _WITHIN)

    def wait_for_the_asking_to_end(self, run_id: str, task_id: str) -> None:
        """Wait until the scheduler knows that the half of an approval that asks has ended.

        Airflow 3.3.2 fails a task that is answered earlier.
        """
        log = self.home / "logs" / "scheduler.log"

        def heard() -> bool:
            return any(
                "Received executor event" in line and run_id in line and f"'{task_id}'" in line
                for line in log.read_text(errors="replace").splitlines()
            )

        wait_for(f"the scheduler to hear of {task_id}", heard, _WITHIN)

    def remaining(self, lead_id: str) -> dict[str, list[dict[str, Any]]]:
        """What a lead still has in LeadSquared."""
        records: dict[str, list[dict[str, Any]]] = self.leadsquared.ask("GET", f"/remaining/{lead_id}")
        return records

    def start_a_batch(self, lead_count: int) -> str:
        """Start a reset of new leads as one task of the fleet, and return the run's id while it runs."""
        leads = self.leadsquared.ask("POST", "/seed", {"demo_leads": lead_count})["lead_ids"]
        dag_id, conf = "example_fleet", {"leads": leads, "leads_per_task": lead_count}
        run = self.airflow.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        path = f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"

        def is_running() -> bool:
            running = self.airflow.ask("GET", path, state="running")["task_instances"]
            return any(one["task_id"] == "reset" for one in running)

        wait_for("the batch to run", is_running, _WITHIN)
        return str(run["dag_run_id"])

    def start_a_task(self) -> None:
        """Start a task, and come back while it runs."""
        dag_id = "example_fleet"
        run = self.airflow.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})
        path = f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"
        running = partial(self.airflow.ask, "GET", path, state="running")
        wait_for("a task to run", lambda: running()["total_entries"], _WITHIN)
