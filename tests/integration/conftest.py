from __future__ import annotations

import pytest
from dag_runs import Runner


@pytest.fixture
def run() -> Runner:
    return Runner()
