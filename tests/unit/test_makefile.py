"""What `make` does before there is an environment."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKE = shutil.which("make")
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(MAKE is None, reason="needs make")


def _first_command(path: Path) -> str:
    """Return the command by which `make` would begin, with only what PATH has and a POSIX shell."""
    assert MAKE is not None
    told = subprocess.run(
        [MAKE, "--dry-run", "--always-make", "--no-print-directory", ".venv/.ready"],
        cwd=ROOT,
        env={"PATH": str(path)},  # without what a make that runs this test tells those below it
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.splitlines()[0]


def _old_python(path: Path) -> None:
    """Write a `python3` that is older than this package takes."""
    old = path / "python3"
    old.write_text("#!/bin/sh\necho\n")
    old.chmod(0o755)


def test_an_old_python3_is_passed_over(tmp_path: Path) -> None:
    """Beside an older `python3`, the one with its version in its name makes the environment."""
    _old_python(tmp_path)
    name = f"python3.{sys.version_info.minor}"
    (tmp_path / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / name).chmod(0o755)
    assert _first_command(tmp_path) == f"{name} -m venv --clear .venv"


def test_without_any_python_make_names_python3(tmp_path: Path) -> None:
    """Where no Python is new enough, `python3` is tried, so that the message is of it."""
    _old_python(tmp_path)
    assert _first_command(tmp_path) == "python3 -m venv --clear .venv"
