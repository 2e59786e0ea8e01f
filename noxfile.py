"""Every supported Airflow on every Python that it has: ``make matrix``, or ``nox -s 'matrix(3.1.8, 3.12)'``.

Each session has an environment of its own and runs the unit and the integration tests in it.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"

PYTHONS = {
    "2.11.2": ("3.11", "3.12"),  # Airflow 2 does not run on Python 3.13
    "3.0.6": ("3.11", "3.12", "3.13"),
    "3.1.8": ("3.11", "3.12", "3.13"),
    "3.2.2": ("3.11", "3.12", "3.13"),
    "3.3.2": ("3.11", "3.12", "3.13"),
}
"""The newest release of each minor version, and the Pythons that it is made for."""

PAIRS = [(airflow, python) for airflow, pythons in PYTHONS.items() for python in pythons]

OF_AIRFLOW_2 = ("universal-pathlib<0.3",)
"""What Airflow 2's own constraints hold back: with a newer one its paths misread ``file://``."""


@nox.session
@nox.parametrize("airflow, python", PAIRS, ids=[", ".join(pair) for pair in PAIRS])
def matrix(session: nox.Session, airflow: str) -> None:
    """Run the tests on one Airflow and one Python."""
    suites(session, f"apache-airflow=={airflow}", *(OF_AIRFLOW_2 if airflow.startswith("2.") else ()))


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run them on what managed services of 2025 pin: Airflow 2.11.0 with its compatibility package of that time."""
    constraints = ("-c", "tests/constraints/airflow-2.11.txt")
    suites(session, *constraints, "apache-airflow==2.11.0", "apache-airflow-providers-common-compat==1.7.0")


def suites(session: nox.Session, *airflow: str) -> None:
    """Install an Airflow with the provider, and run the tests on it."""
    # Without compiled files Airflow starts more than twice as slowly.
    session.env.pop("PYTHONDONTWRITEBYTECODE", None)
    session.install("--compile-bytecode", *airflow, "-e", ".[test]")
    asked = next(item for item in airflow if item.startswith("apache-airflow==")).partition("==")[2]
    found = session.run(
        "python", "-c", "import importlib.metadata as m; print(m.version('apache-airflow'))", silent=True
    )
    if str(found).strip().splitlines()[-1] != asked:
        session.error(f"Airflow {asked} was asked for, and {found} was installed")
    session.run("python", "-m", "pytest", "tests/unit", "tests/integration", *session.posargs)
