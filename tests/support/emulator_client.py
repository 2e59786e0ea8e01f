"""What the tests of the emulator share."""

from __future__ import annotations

from typing import Any

import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator

RESET = "LeadManagement.svc/Lead.Reset"
RETRIEVE = "ProspectActivity.svc/Retrieve"
DETAILS = "ProspectActivity.svc/GetActivityDetails"
BY_IDS = "LeadManagement.svc/Leads/Retrieve/ByIds"
BY_LIST = "LeadManagement.svc/Leads/Retrieve/BySearchParameter"
BY_OWNER = "Task.svc/Retrieve"
BY_EVENT = "ProspectActivity.svc/CustomActivity/RetrieveByActivityEvent"
OF_LEAD = "LeadManagement.svc/RetrieveTaskByLeadId"
NOTES = "LeadManagement.svc/RetrieveNote"
TYPES = "ProspectActivity.svc/ActivityTypes.Get"
KEY_CHECK = "Authentication.svc/UserByAccessKey.Get"
FROM, TO = "2026-10-01 00:00:00", "2026-10-01 23:59:59"


class Api:
    """A client that knows nothing but HTTP."""

    def __init__(self, lsq: LeadSquaredEmulator) -> None:
        self.lsq = lsq
        self.session = requests.Session()
        self.keys = {"x-LSQ-AccessKey": lsq.access_key, "x-LSQ-SecretKey": lsq.secret_key}

    def get(self, path: str, **query: Any) -> requests.Response:
        url = f"{self.lsq.url}/v2/{path}"
        return self.session.get(url, params=query, headers=self.keys, timeout=60, allow_redirects=False)

    def post(self, path: str, body: Any = None, timeout: float = 5, **query: Any) -> requests.Response:
        url = f"{self.lsq.url}/v2/{path}"
        return self.session.post(
            url, params=query, json=body, headers=self.keys, timeout=timeout, allow_redirects=False
        )

    def reset(self, lead_id: str, timeout: float = 5, **fields: Any) -> requests.Response:
        return self.post(RESET, {"ProspectId": lead_id, "FromDate": FROM, "ToDate": TO, **fields}, timeout)

    def activities(self, lead_id: str, paging: Any = None, code: int = 0) -> list[dict[str, Any]]:
        """Return the rows of a lead's activities, of one event code or, with 0, of all."""
        body = {"Parameter": {"ActivityEvent": code}, "Paging": paging}
        answer: dict[str, Any] = self.post(RETRIEVE, body, leadId=lead_id).json()
        return list(answer["ProspectActivities"])

    def last_modified(self, lead_id: str) -> str:
        """Return the lead's LeadLastModifiedOn."""
        asked = {"SearchParameters": {"LeadIds": [lead_id]}, "Columns": {"Include_CSV": "LeadLastModifiedOn"}}
        (lead,) = self.post(BY_IDS, asked).json()["Leads"]
        return str(lead["LeadLastModifiedOn"])
