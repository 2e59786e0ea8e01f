from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid

A = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    "value", [None, "", A + " ", f"{{{A}}}", A.replace("-", ""), 5, A.encode(), [A], object]
)
def test_single_guid_strict(value: object) -> None:
    """A single GUID must be exactly a GUID, with nothing around it."""
    with pytest.raises(InputError, match="my field holds") as caught:
        parse_guid(value, "my field")
    assert repr(value) in str(caught.value)
