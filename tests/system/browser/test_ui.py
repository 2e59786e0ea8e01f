"""What `make ui` starts, as a person uses it in a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest
from playwright.sync_api import Page, expect
from user_interface import UserInterface

from airflow_provider_leadreset.emulator.account.account import SECRET_KEY

EXAMPLES = Path(__file__).parents[3] / "example_dags"
ONE_LEAD, CAREFUL, FLEET = "example_one_lead", "example_safe_cleanup", "example_fleet"
KINDS = ("activities", "tasks", "notes")
INDIA = ZoneInfo("Asia/Kolkata")


def test_examples_are_listed(ui, page):
    """The examples are listed without an import error."""
    page.goto(f"{ui.url}/dags")
    for path in EXAMPLES.glob("*.py"):
        # Of one file there may be several, each with more to its name.
        expect(page.get_by_role("link", name=re.compile(rf"^{path.stem}(_\w+)?$")).first).to_be_visible()
    assert ui.airflow.ask("GET", "/importErrors")["total_entries"] == 0


def test_only_local_ports_open(ui):
    """Nothing listens beyond this machine."""
    listening = {
        one.laddr
        for process in ui.processes()
        for one in process.net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert len(listening) >= 3  # two of Airflow's, and LeadSquared
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_connection_form(ui, page, picture, picture_on_phone):
    """The connection form has LeadSquared's words, and its test says whose keys they are."""
    page.goto(f"{ui.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill("leadsquared_by_hand")
    form.get_by_role("combobox", name="Connection Type").fill("LeadSquared")
    page.get_by_role("option", name="LeadSquared", exact=True).click()
    form.get_by_label("API host").fill("api-in21.leadsquared.com")
    form.get_by_label("Access key").fill("u$r0123456789")
    form.get_by_role("textbox", name="Secret key").fill("s$0123456789")
    port = form.get_by_role("spinbutton", name="Port")
    port.fill("443")
    picture("connection-form", form)
    picture_on_phone("connection-form")

    own = ui.airflow.ask("GET", "/connections/leadsquared_default")
    form.get_by_label("API host").fill(own["host"])
    form.get_by_label("Access key").fill(own["login"])
    form.get_by_role("textbox", name="Secret key").fill(SECRET_KEY)
    port.fill(str(own["port"]))
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    calls = form.get_by_role("spinbutton", name="Calls per 5 seconds")
    expect(calls).to_have_value("25")
    calls.fill("20")
    for words in ("Pool", "Timeout", "Web host"):
        expect(form.get_by_text(words, exact=True)).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as saved:
        form.get_by_role("button", name="Save").click()
    assert saved.value.status == 201
    made = ui.airflow.ask("GET", "/connections/leadsquared_by_hand")
    assert (made["conn_type"], '"calls_per_5s":20' in made["extra"].replace(" ", "")) == ("leadsquared", True)

    row = page.get_by_role("row").filter(has_text="leadsquared_by_hand")
    row.get_by_role("button", name="Test Connection").click()
    toast = page.get_by_role("region", name="Notifications")
    expect(toast).to_contain_text("Asha Admin")
    expect(toast).to_contain_text("Administrator")
    expect(toast).to_contain_text("127.0.0.1")
    expect(toast).not_to_contain_text(SECRET_KEY)
    expect(toast).not_to_contain_text(own["login"])
    picture("connection-tested", page.locator("body"))
    picture_on_phone("connection-tested")


def test_approval_of_preview(ui, page, picture, picture_on_phone):
    """A person reads the preview under Required Actions, types what tells its plan, and approves it."""
    leads = ui.params(CAREFUL)["leads"]
    before = {lead: ui.remaining(lead) for lead in leads}
    run_id = ui.trigger(page, CAREFUL)
    ui.wait_for_state(CAREFUL, run_id, "clean_up.approve", "awaiting_input")
    ui.wait_for_the_asking_to_end(run_id, "clean_up.approve")

    page.goto(f"{ui.url}/required_actions?response_received=false")
    row = page.get_by_role("row").filter(has_text=run_id)
    row.get_by_role("button", name="Open Review Drawer").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Ask LeadSquared to delete these records?")
    expect(drawer).to_contain_text("LeadSquared documents no undo of a reset.")
    expect(drawer).to_contain_text("A copy of each record is kept")
    expect(drawer.get_by_role("row").filter(has_text="Test call (166)")).to_be_visible()
    expect(drawer.get_by_role("table")).to_have_count(3)  # one is Airflow's, of the task
    by_lead = drawer.get_by_role("table").last.get_by_role("row").all_inner_texts()
    assert by_lead[0].split("\t") == ["lead", *KINDS]
    shown = {lead: tuple(map(int, counts)) for lead, *counts in (row.split("\t") for row in by_lead[1:])}
    promised = sum(sum(counts) for counts in shown.values())
    expect(drawer.get_by_role("heading", name=f"{promised} records of {len(shown)} leads")).to_be_visible()
    lead_link = drawer.get_by_role("link", name=next(iter(shown)))
    assert (
        lead_link.get_attribute("href")
        == f"{ui.leadsquared_url}/LeadManagement/LeadDetails?LeadID={next(iter(shown))}"
    )
    digest = drawer.get_by_text("digest begins with").locator("code").inner_text()
    drawer.get_by_role("textbox").fill(digest)
    page.set_viewport_size({"width": 1400, "height": 1260})  # all of it
    picture("required-action", drawer)
    picture_on_phone("required-action")
    with page.expect_response(lambda answer: answer.url.endswith("/hitlDetails")) as approved:
        drawer.get_by_role("button", name="Approve", exact=True).click()
    assert approved.value.status == 200

    ui.wait_for_state(CAREFUL, run_id, "clean_up.verify", "success")
    gone = {
        lead: tuple(len(before[lead][kind]) - len(ui.remaining(lead)[kind]) for kind in KINDS)
        for lead in leads
    }
    assert {lead: counts for lead, counts in gone.items() if any(counts)} == shown
    assert promised > 0

    page.goto(f"{ui.url}/dags/{CAREFUL}/runs/{run_id}/tasks/clean_up.preview")
    expect(page.get_by_text("What a reset would delete").first).to_be_visible()
    picture("preview-task", page.locator("body"))
    picture_on_phone("preview-task")


@pytest.fixture(scope="module")
def one_lead(ui: UserInterface, browser) -> tuple[str, list[str]]:
    """The run of the first example, triggered by hand, and what its lead's page showed before."""
    page = browser.new_page(locale="en-US")
    page.goto(f"{ui.leadsquared_url}/LeadManagement/LeadDetails?LeadID={ui.params(ONE_LEAD)['lead']}")
    before = rows(page)
    run_id = ui.trigger(page, ONE_LEAD)
    page.close()
    ui.wait_for_state(ONE_LEAD, run_id, "reset", "success")
    return run_id, before


def test_link_opens_lead_page(ui, page, one_lead, picture):
    """The link leads to the page of the lead, and its records are gone."""
    run_id, before = one_lead
    params = ui.params(ONE_LEAD)
    page.goto(f"{ui.url}/dags/{ONE_LEAD}/runs/{run_id}/tasks/reset/details")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Lead in LeadSquared").click()
    lead_page = opened.value
    expect(lead_page.get_by_text(params["lead"])).to_be_visible()
    start, end = params["window"].split("/")

    def goes(row: str) -> bool:
        created = datetime.fromisoformat(row.split("\t")[0]).replace(tzinfo=UTC).astimezone(INDIA)
        return "166 Test call" in row and start <= str(created.date()) < end

    left = [row for row in before if not goes(row)]
    assert 0 < len(left) < len(before)
    assert rows(lead_page) == left
    picture("lead-after", lead_page.locator("main"))


def test_window_in_rendered_templates(ui, page, one_lead):
    """The window is read on the tab of rendered templates."""
    page.goto(f"{ui.url}/dags/{ONE_LEAD}/runs/{one_lead[0]}/tasks/reset/rendered_templates")
    row = page.get_by_role("row").filter(has=page.get_by_text("window", exact=True))
    expect(row).to_contain_text(ui.params(ONE_LEAD)["window"])


def test_running_batch(ui, page, picture, picture_on_phone):
    """While a batch runs, the log of its task says how far it is."""
    run_id = ui.start_a_batch(45)
    page.goto(f"{ui.url}/dags/{FLEET}/runs/{run_id}/tasks/reset/mapped/0")
    expect(page.get_by_text(re.compile(r"\d of 45 leads")).last).to_be_visible()
    picture("running-batch", page.locator("body"))
    picture_on_phone("running-batch")
    page.goto(f"{ui.url}/dags/{FLEET}/runs/{run_id}")
    expect(page.get_by_text("Running").first).to_be_visible()
    picture("running-run", page.locator("body"))


def rows(lead_page: Page) -> list[str]:
    """What the emulator's page of a lead lists."""
    return lead_page.get_by_role("row").all_inner_texts()[1:]
