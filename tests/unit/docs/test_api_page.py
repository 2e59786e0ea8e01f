"""docs/api.md is what signatures and docstrings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_leadreset.compat import is_airflow_2
from support.api_page import TITLES, Docstring, page
from support.public_api import PUBLIC

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def test_page_is_up_to_date():
    """The page is what would be made now."""
    now = page()
    if is_airflow_2():  # where an overtaken try is one that is retried
        now = now.replace("`LeadResetFailedError`. A later try of", "`AirflowFailException`. A later try of")
    assert PAGE.read_text("utf-8") == now, "python tests/support/api_page.py > docs/api.md"


def test_every_public_module_is_placed():
    """A public module has a title, or is one that no DAG file names."""
    assert set(PUBLIC) - set(TITLES) == {"operators._selection", "links"}


@pytest.mark.parametrize("mark", [":param", ":raises", ":class:", "``"])
def test_no_mark_of_docstrings_is_left(mark):
    """What docstrings are written in is Markdown there."""
    assert mark not in PAGE.read_text("utf-8")


def test_docstring_in_parts():
    """Prose, parameters and errors are told apart; a field that goes on over lines is one text."""

    def example(lead):
        """Read a :class:`.Lead`.

        :param lead: its ``id``,
            a GUID.
        :raises KeyError: there is none.

        It is documented.
        """

    said = Docstring.of(example)
    assert said.prose == "Read a `Lead`.\n\nIt is documented."
    assert said.parameters == {"lead": "its `id`, a GUID."}
    assert said.raises == {"KeyError": "there is none."}
