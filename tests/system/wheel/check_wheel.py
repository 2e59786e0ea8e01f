"""Build the wheel, look into it, and use it in an environment that has never seen the sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
OUT = ROOT / ".build"

USE = """
import airflow_provider_leadreset, sys
from airflow.providers_manager import ProvidersManager
assert "site-packages" in airflow_provider_leadreset.__file__, airflow_provider_leadreset.__file__
info = ProvidersManager().providers["airflow-provider-leadreset"]
assert info.version == airflow_provider_leadreset.__version__, info.version
assert ProvidersManager().hooks["leadsquared"].hook_name == "LeadSquared"
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
LeadResetOperator(task_id="reset", prospect_ids="x", activity_event_list=[166], window="2026-09-01/2026-10-01")
from airflow.sdk import Asset
assert Asset("LeadSquared://acme/leads/").uri == "leadsquared://acme/leads"
from importlib.util import find_spec
assert find_spec("openlineage") is None
from airflow_provider_leadreset.evidence import main
assert main([".", "--html", "page.html"]) == 1
assert "No evidence was found here." in open("page.html", encoding="utf-8").read()
print("the wheel works:", info.version)
"""


def run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=OUT)


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    uv, python = str(Path(sys.executable).parent / "uv"), str(OUT / "venv" / "bin" / "python")
    # The wheel is made from the source distribution, so that both are tried.
    run(uv, "build", "--quiet", "--out-dir", "dist", str(ROOT))
    (wheel,) = (OUT / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert all(top.startswith("airflow_provider_leadreset") for top in tops), tops
    needed_files = ("py.typed", "get_provider_info.py", "emulator/__main__.py", "operators/lead_reset.py")
    package = ROOT / "airflow_provider_leadreset"
    needed_files += tuple(str(path.relative_to(package)) for path in package.rglob("templates/*"))
    for needed in (*needed_files, "facets/1-0-0/LeadResetSummaryRunFacet.json"):
        assert f"airflow_provider_leadreset/{needed}" in names, needed
    run(uv, "venv", "--quiet", "--python", sys.executable, "venv")
    constraints = str(ROOT / "tests" / "constraints" / "airflow-3.3.txt")
    run(
        uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python,
        "-c", constraints, "apache-airflow==3.3.2", str(wheel),
    )  # fmt: skip
    run(python, "-I", "-W", "error::UserWarning:airflow_provider_leadreset", "-c", USE)


if __name__ == "__main__":
    main()
