"""The user interface as `make ui` starts it, a browser, and pictures of what it shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

# Starting and ending processes, and asking Airflow and LeadSquared, is the same for every test that starts them.
sys.path += [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from user_interface import UserInterface

from support.processes import leftovers

ROOT = Path(__file__).parents[3]
HOME = ROOT / ".build" / "browser"
PICTURES = ROOT / ".build" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")

_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_ENDED_WITHIN = 15.0

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def ui() -> Iterator[UserInterface]:
    """What `make ui` starts. At the end a Ctrl-C comes while a task runs, and must leave nothing behind."""
    HOME.mkdir(parents=True, exist_ok=True)
    script = ROOT / "tests" / "system" / "ui" / "ui.py"
    with subprocess.Popen(
        [sys.executable, str(script), "--home", str(HOME)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C" in line:
                    break
            else:
                pytest.fail("".join(said))
            started = UserInterface(process, HOME, "".join(said))
            yield started
            started.start_a_task()
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            process.wait(_ENDED_WITHIN)
            print(f"\nCtrl-C ended everything in {time.monotonic() - began:.1f} s")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
    assert leftovers(str(HOME)) == []


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own, of which the last sight is kept."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, locale="en-US")
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    page.screenshot(path=PICTURES / f"{request.node.name}.png", animations="disabled")
    context.close()


@pytest.fixture
def picture() -> Callable[[str, Locator], None]:
    """Keep a picture of a part of the page."""

    def take(name: str, part: Locator) -> None:
        part.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    return take


@pytest.fixture
def picture_on_phone(page: Page) -> Callable[[str], None]:
    """Keep a picture of the page as a phone shows it, and go back to the desk."""

    def take(name: str) -> None:
        desk = page.viewport_size
        assert desk
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=PICTURES / f"{name}-phone.png", animations="disabled")
        page.set_viewport_size(desk)

    return take
