"""What Airflow registers of this provider. Imported at every start of Airflow, so it imports nothing."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the provider as Airflow's ``provider_info.schema.json`` asks."""
    integration = "LeadSquared"
    return {
        "package-name": "airflow-provider-leadreset",
        "name": "LeadSquared lead reset",
        "description": "Delete chosen history of LeadSquared leads, in a window, with the call Reset a Lead.",
        "integrations": [
            {
                "integration-name": integration,
                "external-doc-url": "https://apidocs.leadsquared.com/reset-a-lead/",
                "tags": ["service"],
            }
        ],
        "hooks": [
            {
                "integration-name": integration,
                "python-modules": ["airflow_provider_leadreset.hooks.lead_reset"],
            }
        ],
        "operators": [
            {
                "integration-name": integration,
                "python-modules": ["airflow_provider_leadreset.operators.lead_reset"],
            }
        ],
        "sensors": [
            {
                "integration-name": integration,
                "python-modules": ["airflow_provider_leadreset.sensors.lead_reset"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "leadsquared",
                "hook-name": "LeadSquared",
                "hook-class-name": "airflow_provider_leadreset.hooks.lead_reset.LeadResetHook",
            }
        ],
    }
