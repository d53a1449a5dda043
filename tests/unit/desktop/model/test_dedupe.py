"""Repeats are recognised, and nothing new is ever called one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.model.dedupe import RecentKeys

NOW_MS = 1_795_499_072_000


@given(st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=30), max_size=6))
def test_each_identity_counts_once_and_the_order_sorts_by_device_and_time(batches: list[list[tuple[int, int]]]) -> None:
    table = RecentKeys(bits=16)  # 441 identities rarely meet in 65 536 slots
    seen: set[tuple[int, int]] = set()
    for rows in batches:
        index = np.array([r[0] for r in rows], dtype=np.int32)
        t_ms = np.array([r[1] for r in rows], dtype=np.int64) + NOW_MS
        fresh, order = table.unseen(index, t_ms)
        wanted = []
        for row in rows:
            wanted.append(row not in seen)
            seen.add(row)
        assert fresh.tolist() == wanted
        assert [rows[i] for i in order] == sorted(rows)


def test_a_full_table_never_loses_a_new_reading() -> None:
    table = RecentKeys(bits=4)
    for round_ in range(20):
        index = np.arange(1000, dtype=np.int32)
        fresh, _ = table.unseen(index, np.full(1000, NOW_MS + round_, dtype=np.int64))
        assert fresh.all()


def test_memory_is_bounded() -> None:
    assert RecentKeys().nbytes <= 4 * 1024 * 1024
