from __future__ import annotations

import gc
import os
import random

import pytest

from airflow_provider_leadreset.leadsquared import distinct_keys
from airflow_provider_leadreset.leadsquared.distinct_keys import MOST_IN_MEMORY, DistinctKeys


@pytest.mark.parametrize("most", [MOST_IN_MEMORY, 300, 1, 0])
def test_new_keys_told(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """A key is new once, whether keys are held in memory or in a file."""
    monkeypatch.setattr(distinct_keys, "MOST_IN_MEMORY", most)
    chance = random.Random(7)
    keys = [chance.randbytes(1) + chance.choice([b"", b"\0", b"x" * 20]) for _ in range(2000)]
    told: set[bytes] = set()
    with DistinctKeys() as seen:
        for key in keys:
            assert (key in seen) == (key in told)
            assert seen.add(key) == (key not in told)
            told.add(key)
            assert len(seen) == len(told)
        assert b"other" not in seen


def test_file_of_keys_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """The file of many keys leaves nothing behind and is closed with them."""
    monkeypatch.setattr(distinct_keys, "MOST_IN_MEMORY", 10)
    monkeypatch.setattr(distinct_keys, "CACHE_KIB", 100)
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    gc.collect()
    before = set(os.listdir("/dev/fd"))
    with DistinctKeys() as seen:
        for number in range(20_000):
            seen.add(number.to_bytes(16, "big"))
        assert len(set(os.listdir("/dev/fd"))) > len(before), "the keys went to a file"
        assert list(tmp_path.iterdir()) == []
    assert set(os.listdir("/dev/fd")) == before
