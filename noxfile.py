"""Every supported Airflow on every Python that it has: ``make matrix``, or ``nox -s 'matrix(3.1.8, 3.12)'``.

Each session has an environment of its own. All run the unit tests; what no other Airflow or Python could change is
left to some (see :func:`parts`). ``make matrix`` runs two of them at once, each by a nox of its own: no two share a
file, a port or a database.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"

RELEASES = {
    "2.11.2": ("2026-03-20", "3.11", "3.12"),  # Airflow 2 does not run on Python 3.13
    "3.0.6": ("2025-09-15", "3.11", "3.12", "3.13"),
    "3.1.8": ("2026-03-20", "3.11", "3.12", "3.13"),
    "3.2.2": ("2026-06-01", "3.11", "3.12", "3.13"),
    "3.3.2": ("2026-10-15", "3.11", "3.12", "3.13"),
}
"""The last release of each minor version, a day soon after it, and the Pythons that it is made for.

An older Airflow does not run with what FastAPI, Pydantic and others are today, so all packages are taken as of that
day: that is what Airflow's own constraints do.
"""

NEWEST = list(RELEASES)[-1]
PAIRS = [(airflow, python) for airflow, (_, *pythons) in RELEASES.items() for python in pythons]


@nox.session
@nox.parametrize("airflow, python", PAIRS, ids=[", ".join(pair) for pair in PAIRS])
def matrix(session: nox.Session, airflow: str) -> None:
    """Run the tests on one Airflow and one Python."""
    chosen = parts(airflow, str(session.python))
    suites(session, chosen, "--exclude-newer", RELEASES[airflow][0], f"apache-airflow=={airflow}")


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run them on what managed services of 2025 pin: Airflow 2.11.0 with its compatibility package of that time."""
    constraints = ("-c", "tests/constraints/airflow-2.11.txt")
    suites(
        session,
        ["tests/unit", "tests/integration"],
        *constraints,
        "apache-airflow==2.11.0",
        "apache-airflow-providers-common-compat==1.7.0",
    )


def parts(airflow: str, python: str) -> list[str]:
    """Return what a session runs.

    What imports no Airflow runs on each Python once. DAGs run on each Airflow once, and on the newest on each Python.
    """
    chosen = ["tests/unit"]
    if airflow == NEWEST or python == RELEASES[airflow][1]:
        chosen.append("tests/integration")
    if airflow != NEWEST:
        chosen += [f"--ignore=tests/unit/{room}" for room in ("leadsquared", "emulator")]
    return chosen


def suites(session: nox.Session, chosen: list[str], *airflow: str) -> None:
    """Install an Airflow with the provider, and run the tests on it."""
    # Without compiled files Airflow starts more than twice as slowly.
    session.env.pop("PYTHONDONTWRITEBYTECODE", None)
    session.install("--compile-bytecode", *airflow, "-e", ".[test]")
    asked = next(item for item in airflow if item.startswith("apache-airflow==")).partition("==")[2]
    code = "import importlib.metadata as m, sys; print(m.version('apache-airflow'), '%d.%d' % sys.version_info[:2])"
    found = str(session.run("python", "-c", code, silent=True)).strip().splitlines()[-1]
    if found != f"{asked} {session.python}":
        session.error(f"Airflow {asked} on Python {session.python} was asked for, and {found} was installed")
    # Nothing is written into the tree: another session runs its tests beside.
    kept = ("-p", "no:cacheprovider", "-n", "3", "--dist", "worksteal")
    session.run("python", "-m", "pytest", *kept, "-m", "not exhaustive", *chosen, *session.posargs)
