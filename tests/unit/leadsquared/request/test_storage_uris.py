"""Which addresses of files and folders are taken."""

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.storage_uris import parse_uri


@pytest.mark.parametrize("value", ["", "  ", "None", None])
def test_nothing_is_refused(value):
    """What rendered to nothing is refused, by the argument's name."""
    with pytest.raises(InputError, match=r"evidence_path is .*, which names no folder"):
        parse_uri("evidence_path", value, "folder")


@pytest.mark.parametrize(
    "uri",
    [
        "leadreset",
        "./leadreset",
        "~/leadreset",
        "~",
        ".",
        "C:leadreset",
        "file:leadreset",
        "file://mnt/leadreset",
        "file://./leadreset",
        "file://../leadreset",
        "file://~/leadreset",
        "file://localhost/mnt/leadreset",
        "FILE://mnt/leadreset",
        "local://mnt/leadreset",
        "file:///~/leadreset",
        "file:///./leadreset",
        "file:///mnt/../leadreset",
        "/mnt/../leadreset",
        "/~root/leadreset",
        "/$HOME/leadreset",
        "file:///${HOME}/leadreset",
        "file://$HOME/leadreset",
        "file://",
    ],
)
def test_depends_on_the_worker(uri):
    """What another worker would take for another place is refused, quoted, and a form is named."""
    with pytest.raises(InputError) as caught:
        parse_uri("evidence_path", uri, "folder")
    assert f"evidence_path is {uri!r}" in str(caught.value)
    assert "file:///mnt/leadreset" in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "/mnt/leadreset",
        "file:///mnt/leadreset",
        "local:///mnt/leadreset",
        "s3://aws@bucket/leadreset",
        "s3://bucket/~/x",
        "memory://evidence/x",
        "/mnt/a.b/..c",
    ],
)
def test_same_on_every_worker(uri):
    """An absolute path or URI is taken, without the blanks around it."""
    assert parse_uri("evidence_path", f" {uri}\n", "folder") == uri
