"""What Airflow registers of this provider. Imported at every start of Airflow, so it imports nothing."""

from __future__ import annotations

from typing import Any

_KNOWN_HOSTS = (
    "API hosts by region: api.leadsquared.com (Singapore), api-us11.leadsquared.com (United States), "
    "api-in21.leadsquared.com and api-in22.leadsquared.com (India), api-ir31.leadsquared.com (Ireland), "
    "api-ca12.leadsquared.com (Canada), api-me61.leadsquared.com (Middle East)."
)


def get_provider_info() -> dict[str, Any]:
    """Describe the provider as Airflow's ``provider_info.schema.json`` asks."""
    integration = "LeadSquared"
    scheme = {
        "schemes": ["leadsquared"],
        "handler": "airflow_provider_leadreset.assets.normalized",
        "factory": "airflow_provider_leadreset.assets.create_asset",
        "to_openlineage_converter": "airflow_provider_leadreset.assets.to_openlineage",
    }
    return {
        "package-name": "airflow-provider-leadreset",
        "name": "LeadSquared lead reset",
        "description": "Ask LeadSquared to delete chosen history of leads, in a window, with the call Reset a Lead.",
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
                "ui-field-behaviour": _field_behaviour(),
                "conn-fields": _connection_fields(),
            }
        ],
        "extra-links": [
            "airflow_provider_leadreset.links.LeadLink",
            "airflow_provider_leadreset.links.EvidenceLink",
        ],
        "asset-uris": [scheme],
        "dataset-uris": [scheme],  # Airflow 2.11's name for it
    }


def _field_behaviour() -> dict[str, object]:
    """What the form calls the fields that every connection has."""
    return {
        "hidden-fields": ["schema"],
        "relabeling": {
            "host": "API host",
            "login": "Access key",
            "password": "Secret key",
            # Its form sends port 0 for none, which its server refuses before it asks the hook.
            "port": "Port (443; Airflow 3.3 cannot test without it)",
        },
        "placeholders": {
            "host": "such as api-in21.leadsquared.com",
            "login": "My Account > Settings > API and Webhooks",
            "password": "beside the access key; an administrator's",
            "port": "443",
        },
    }


def _connection_fields() -> dict[str, object]:
    """Describe the fields of the form that are kept in Extra."""
    return {
        "calls_per_5s": {
            "label": "Calls per 5 seconds",
            "description": "How many calls your LeadSquared plan allows the account in any 5 seconds.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 9999, "default": 25},
        },
        "pool": {
            "label": "Pool",
            "description": "The Airflow pool whose slots are those calls. Empty: the one named like this connection.",
            "schema": {"type": ["string", "null"]},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds for a call as a whole. Empty: 30.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 600},
        },
        "app_host": {
            "label": "Web host",
            "description": (
                "Host of LeadSquared's web application, for links to leads, such as in21.leadsquared.com. Empty: "
                f"worked out from the API host. {_KNOWN_HOSTS}"
            ),
            "schema": {"type": ["string", "null"]},
        },
        "rules": {
            "label": "Rules",
            "description": (
                "What every reset is held to, as JSON, such as "
                '{"resets": true, "require": ["plan", "approval"], "max_leads": 10000}. Of plan, approval, '
                'evidence_path, archive, reason. "resets": false stops all. Empty: no rules.'
            ),
            "schema": {"type": ["object", "null"]},
        },
        "account_check": {
            "label": "Account check",
            "description": (
                "What the account check found on this account, as it printed it, whole: then previews go by it, and "
                "skip_unmodified can be used. Empty: what is not documented is inferred."
            ),
            "schema": {"type": ["object", "null"]},
        },
    }
