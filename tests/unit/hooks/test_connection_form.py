"""The connection's form, as each Airflow asks for it."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.get_provider_info import get_provider_info
from airflow_provider_leadreset.hooks.lead_reset import _EXTRAS, AccountSettings, LeadResetHook

((CONNECTION,),) = [get_provider_info()["connection-types"]]
FIELDS: dict[str, Any] = CONNECTION["conn-fields"]
BEHAVIOUR: dict[str, Any] = CONNECTION["ui-field-behaviour"]
# As long as real ones: Airflow 2.11 would from then on mask a single letter in every text.
KEYS = {"login": "u$form-access-key", "password": "s$form-secret-key"}
VERSION = tuple(map(int, airflow.__version__.split(".")[:2]))


def test_fields_match_extras() -> None:
    """Every extra that the hook reads has a field, and every field is read."""
    assert list(FIELDS) == list(_EXTRAS)


def test_defaults_and_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form's defaults and bounds are the hook's."""
    assert FIELDS["calls_per_5s"]["schema"]["default"] == AccountSettings.calls_per_5s
    assert f"Empty: {AccountSettings.timeout:g}." in FIELDS["timeout"]["description"]
    for name in ("calls_per_5s", "timeout"):
        schema = FIELDS[name]["schema"]
        for value, good in (
            (schema["minimum"], True),
            (schema["maximum"], True),
            (schema["minimum"] - 1, False),
            (schema["maximum"] + 1, False),
        ):
            connection = {"conn_type": "leadsquared", "host": "a.b", "extra": {name: value}}
            monkeypatch.setenv("AIRFLOW_CONN_LSQ", json.dumps(connection))
            hook = LeadResetHook("lsq")
            if good:
                assert getattr(hook.settings, name) == value
            else:
                with pytest.raises(LeadResetInputError, match=name):
                    hook.settings  # noqa: B018


def test_labels_are_leadsquareds_words() -> None:
    """The form labels its fields with LeadSquared's words."""
    assert BEHAVIOUR["hidden-fields"] == ["schema"]
    labels = BEHAVIOUR["relabeling"]
    assert (labels["host"], labels["login"], labels["password"]) == ("API host", "Access key", "Secret key")
    assert "443" in labels["port"]
    assert BEHAVIOUR["placeholders"]["port"] == "443"


def test_hosts_in_the_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts named in the help are hosts that the hook accepts."""
    hosts = re.findall(r"api[a-z0-9-]*\.leadsquared\.com", FIELDS["app_host"]["description"])
    assert len(set(hosts)) == 7
    assert BEHAVIOUR["placeholders"]["host"].split()[-1] in hosts
    for host in hosts:
        connection = {"conn_type": "leadsquared", "host": host, "port": 443, **KEYS}
        monkeypatch.setenv("AIRFLOW_CONN_LSQ", json.dumps(connection))
        assert LeadResetHook("lsq").get_conn().host == host


def test_provider_schema() -> None:
    """The form is what Airflow's schema for providers asks for."""
    path = Path(airflow.__file__).parent / "provider.yaml.schema.json"
    if not path.exists():  # the authors' schema comes with some versions only
        assert VERSION < (3, 3)
        return
    of_types = json.loads(path.read_text())["properties"]["connection-types"]
    if "conn-fields" not in of_types["items"]["properties"]:
        assert VERSION < (3, 2)
        return
    jsonschema.validate([CONNECTION], of_types)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{**CONNECTION, "conn-fields": {"calls": {"label": "no schema"}}}], of_types)


def test_behaviour_for_older_airflow() -> None:
    """Older versions of Airflow get the same behaviour of the form by the hook's methods."""
    behaviour = LeadResetHook.get_ui_field_behaviour()
    assert behaviour["hidden_fields"] == BEHAVIOUR["hidden-fields"]
    assert behaviour["relabeling"] == BEHAVIOUR["relabeling"]
    assert behaviour["placeholders"] == BEHAVIOUR["placeholders"]
    schema = json.loads(
        (Path(airflow.__file__).parent / "customized_form_field_behaviours.schema.json").read_text()
    )
    jsonschema.validate(behaviour, schema)


def test_widgets_for_older_airflow() -> None:
    """Older versions of Airflow get the fields for the extras too."""
    try:
        import flask_appbuilder.fieldwidgets  # noqa: F401
        import wtforms
    except ImportError:
        with pytest.raises(ImportError) as caught:
            LeadResetHook.get_connection_form_widgets()
        # The only names that Airflow takes for "no user interface here", and goes on.
        assert caught.value.name in {"flask_appbuilder", "flask_appbuilder.fieldwidgets", "wtforms"}
        return

    class Form(wtforms.Form):  # type: ignore[misc]
        pass

    for name, field in LeadResetHook.get_connection_form_widgets().items():
        setattr(Form, name, field)
    from werkzeug.datastructures import MultiDict

    form = Form(MultiDict({"calls_per_5s": "10", "pool": "crm", "timeout": "", "app_host": ""}))
    assert form.validate()
    assert (form.calls_per_5s.data, form.pool.data, form.timeout.data) == (10, "crm", None)
    assert Form().calls_per_5s.data == 25
    assert [field.label.text for field in form] == [field["label"] for field in FIELDS.values()]
    assert not Form(MultiDict({"calls_per_5s": "0"})).validate()
    assert not Form(MultiDict({"timeout": "601"})).validate()


def test_airflow_has_the_form(recwarn: pytest.WarningsRecorder) -> None:
    """Airflow's own providers manager has the form."""
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    if VERSION in ((3, 0), (3, 1)) and not _has("wtforms"):
        return  # these read the methods only where the package of the old user interface is installed
    assert manager.field_behaviours["leadsquared"]["relabeling"]["login"] == "Access key"
    if VERSION < (3, 2) and not _has("flask_appbuilder"):
        return
    widgets = {
        key: info
        for key, info in manager.connection_form_widgets.items()
        if key.startswith("extra__leadsquared__")
    }
    assert [info.field_name for info in widgets.values()] == list(FIELDS)


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def test_hook_loads_no_user_interface() -> None:
    """The methods for older versions import nothing of the user interface when the hook is loaded."""
    source = Path(inspect.getfile(LeadResetHook)).read_text()
    assert "wtforms" not in source
    assert "flask" not in source
