"""The auditor's page in a browser: on a desk, on a phone and on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.render import Made, as_html
from support.evidence_runs import done_and_verified, nothing_sent, partly_done

PICTURES = Path(__file__).parents[3] / ".build" / "screenshots"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MADE = Made(source="/mnt/leadreset", at=datetime(2026, 10, 5, 8, 30, tzinfo=UTC))


@pytest.fixture(params=[done_and_verified, partly_done, nothing_sent], ids=lambda write: write.__name__)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the page of a run is."""
    request.param(tmp_path / "evidence")
    file = tmp_path / f"{request.param.__name__}.html"
    file.write_text(as_html(account_of(tmp_path / "evidence").runs, MADE), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_page_fits(page: Page, address: str, size: dict[str, int], scheme: str) -> None:
    """The page is as wide as the screen, and the browser has nothing to complain about."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    first_lead = page.locator("details tbody th").first
    expect(first_lead).not_to_be_visible()
    page.locator("details > summary").click()
    expect(first_lead).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    sight = first_lead.evaluate("cell => cell.closest('.wide').getBoundingClientRect().right")
    outcome = page.locator("details .outcome").first.bounding_box()
    assert outcome
    assert outcome["x"] + outcome["width"] <= sight  # what became of a lead is read without a swipe
    assert said == []
    name = f"{Path(address).stem}-{'phone' if size == PHONE else 'desk'}-{scheme}"
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


def test_page_on_paper(page: Page, address: str, tmp_path: Path) -> None:
    """On paper what is folded is open, and sheets are numbered."""
    page.goto(address)
    page.emulate_media(media="print")
    expect(page.locator("details tbody th").first).to_be_visible()
    heads = page.locator("thead th").first.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)")
    cells = page.locator("tbody td").first.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)")
    assert heads < cells
    page.pdf(path=PICTURES / f"{Path(address).stem}.pdf", prefer_css_page_size=True)


def test_picture_for_the_guide(page: Page, tmp_path: Path) -> None:
    """The picture of docs/evidence.md: verdict, facts, and who decided."""
    done_and_verified(tmp_path / "evidence")
    file = tmp_path / "page.html"
    file.write_text(as_html(account_of(tmp_path / "evidence").runs, MADE), encoding="utf-8")
    page.set_viewport_size({"width": 820, "height": 1000})
    page.goto(file.as_uri())
    end = page.get_by_role("heading", name="What happened when").bounding_box()
    assert end
    page.screenshot(
        path=PICTURES / "evidence-page.png",
        clip={"x": 0, "y": 0, "width": 820, "height": end["y"] - 16},
        full_page=True,
    )
