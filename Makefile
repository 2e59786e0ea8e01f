# Two commands set everything up by themselves on a machine with Python 3.11 to 3.13 and make:
#   make demo    a clean-up in a real Airflow against a local LeadSquared
#   make test    all tests and static checks, on the oldest and the newest Airflow
# Where `python3` is none of these, as 3.9 on some enterprise Linux, the one that has its version in its name.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; print("$(name)" if (3, 11) <= sys.version_info < (3, 14) else "")' 2>/dev/null)) python3)
# Over an environment of another Python, which a first try may have left, venv would keep that one.
VENV = $(PYTHON) -m venv --clear
NEW := .venv
OLD := .venv-2.11
FLEET := .venv-fleet
BENCH := .venv-bench
BROWSER := .venv-browser
export CHROMIUM ?= /usr/bin/chromium
# Half of their time tests wait for seconds to pass, so that two cores take four processes.
SHARED_OUT := -n 4 --dist worksteal
# Judged when all are together.
MEASURED := --cov --cov-report= --cov-fail-under=0
export AIRFLOW__CORE__LOAD_EXAMPLES := False
# Without compiled files Airflow starts more than twice as slowly.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check unit integration old coverage wheel matrix fleet kill account-check bench ui browser clean

demo: $(NEW)/.ready
	$(NEW)/bin/python tests/system/demo/demo.py

test: check unit integration old coverage wheel

check: $(NEW)/.ready
	$(NEW)/bin/ruff format --check .
	$(NEW)/bin/ruff check .
	$(NEW)/bin/mypy
	$(NEW)/bin/lint-imports --no-cache
	$(NEW)/bin/vulture
	$(NEW)/bin/deptry .

# All cases and a million rows cover nothing that others do not, and tracing them takes as long as they do.
unit: $(NEW)/.ready
	COVERAGE_FILE=.coverage.unit $(NEW)/bin/python -m pytest $(SHARED_OUT) $(MEASURED) -m 'not exhaustive' tests/unit
	$(NEW)/bin/python -m pytest $(SHARED_OUT) -m exhaustive tests/unit

integration: $(NEW)/.ready
	COVERAGE_FILE=.coverage.integration $(NEW)/bin/python -m pytest $(SHARED_OUT) $(MEASURED) tests/integration

# The oldest supported Airflow, with the old provider that managed services pin beside it.
old: $(OLD)/.ready
	COVERAGE_FILE=.coverage.old $(OLD)/bin/python -m pytest $(SHARED_OUT) $(MEASURED) \
		-m 'not exhaustive' tests/unit tests/integration

# Of the three before it together.
coverage: $(NEW)/.ready
	$(NEW)/bin/coverage combine --quiet --keep .coverage.unit .coverage.integration .coverage.old
	$(NEW)/bin/coverage report

# Every supported Airflow on every Python it has: 3.11, 3.12 and 3.13 must be on the PATH or in pyenv. Two sessions at
# once, what each writes in a file of its own below .nox/; meant for under an hour on two idle cores.
matrix: $(NEW)/.ready
	PATH="$(subst $() ,:,$(wildcard $(HOME)/.pyenv/versions/3.1[123]*/bin)):$$PATH" \
		$(NEW)/bin/python tests/system/matrix/matrix.py

wheel: $(NEW)/.ready
	$(NEW)/bin/python tests/system/wheel/check_wheel.py

# Needs PostgreSQL and Redis on this machine; some two and a half minutes.
fleet: $(FLEET)/.ready
	$(FLEET)/bin/python tests/system/fleet/fleet.py

# SIGKILL at random moments of 50 resets, then of 20 that copy first, on SQLite; then on the oldest Airflow. Some 25 min.
kill: $(NEW)/.ready $(OLD)/.ready
	$(NEW)/bin/python tests/system/kill/kill.py
	$(NEW)/bin/python tests/system/kill/kill.py --archived
	$(NEW)/bin/python tests/system/kill/kill.py --no-retries --rounds 20
	$(NEW)/bin/python tests/system/kill/kill.py --stored --rounds 10
	$(OLD)/bin/python tests/system/kill/kill.py --rounds 20
	$(OLD)/bin/python tests/system/kill/kill.py --no-retries --rounds 10

# The account check in every two ways in which an account may behave; some ten minutes on two idle cores.
account-check: $(NEW)/.ready
	$(NEW)/bin/python tests/system/account_check/pairs.py

# Measured side by side in one run, on a machine that does nothing else; some fifteen minutes.
bench: $(BENCH)/.ready
	$(BENCH)/bin/python tests/system/benchmarks/bench.py
	$(BENCH)/bin/python tests/system/benchmarks/bench_evidence.py
	$(BENCH)/bin/python tests/system/benchmarks/bench_nights.py

# Until Ctrl-C; up in some half a minute.
ui: $(NEW)/.ready
	$(NEW)/bin/python tests/system/ui/ui.py

# What `make ui` starts, used in Debian's Chromium; some two minutes.
browser: $(BROWSER)/.ready $(CHROMIUM)
	$(BROWSER)/bin/python -m pytest -s tests/system/browser

$(CHROMIUM):
	@test "$$(id -u)" = 0 || { echo "No $@: apt-get install chromium, or CHROMIUM=/path/to/it make browser"; exit 1; }
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium

$(NEW)/.ready: pyproject.toml tests/constraints/airflow-3.3.txt
	$(VENV) $(NEW)
	$(NEW)/bin/python -m pip install --quiet uv
	$(NEW)/bin/uv pip install --quiet --python $(NEW)/bin/python --compile-bytecode \
		-c tests/constraints/airflow-3.3.txt apache-airflow==3.3.2 -e '.[dev]'
	touch $@

$(OLD)/.ready: $(NEW)/.ready tests/constraints/airflow-2.11.txt
	$(VENV) $(OLD)
	$(NEW)/bin/uv pip install --quiet --python $(OLD)/bin/python --compile-bytecode \
		-c tests/constraints/airflow-2.11.txt apache-airflow==2.11.0 \
		apache-airflow-providers-common-compat==1.7.0 -e '.[test]'
	touch $@

$(FLEET)/.ready: $(NEW)/.ready tests/constraints/fleet.txt
	$(VENV) $(FLEET)
	$(NEW)/bin/uv pip install --quiet --python $(FLEET)/bin/python --compile-bytecode \
		-c tests/constraints/airflow-3.3.txt -c tests/constraints/fleet.txt apache-airflow==3.3.2 \
		apache-airflow-providers-celery psycopg2-binary asyncpg -e '.[emulator]'
	touch $@

$(BENCH)/.ready: $(NEW)/.ready
	$(VENV) $(BENCH)
	$(NEW)/bin/uv pip install --quiet --python $(BENCH)/bin/python --compile-bytecode \
		-c tests/constraints/airflow-3.3.txt apache-airflow==3.3.2 apache-airflow-providers-http \
		limits pyrate-limiter psycopg2-binary asyncpg rich -e '.[emulator]'
	touch $@

$(BROWSER)/.ready: $(NEW)/.ready
	$(VENV) $(BROWSER)
	$(NEW)/bin/uv pip install --quiet --python $(BROWSER)/bin/python --compile-bytecode \
		-c tests/constraints/airflow-3.3.txt apache-airflow==3.3.2 -e '.[browser]'
	touch $@

clean:
	rm -rf $(NEW) $(OLD) $(FLEET) $(BENCH) $(BROWSER) .nox .demo .fleet .kill .bench .ui .build build dist
