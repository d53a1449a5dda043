"""Of readings with the same identity the one that arrived last counts, and nothing new is ever called a repeat."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.model.dedupe import RecentReadings, Settled

NOW_MS = 1_795_499_072_000

Row = tuple[int, int, int, int]  # device, time, value, arrival


def settle(table: RecentReadings, rows: list[Row]) -> Settled:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return table.settle(columns[:, 0].astype(np.int32), columns[:, 1] + NOW_MS, columns[:, 2].astype(np.float64), columns[:, 3])


@given(st.lists(st.lists(st.tuples(*[st.integers(0, 6)] * 4), max_size=30), max_size=6))
def test_the_last_to_arrive_counts_however_readings_are_cut_into_batches(batches: list[list[Row]]) -> None:
    table = RecentReadings(bits=16)  # 49 identities rarely meet in 65 536 slots
    expected: dict[tuple[int, int], tuple[int, int]] = {}  # identity: arrival, value
    counted: dict[tuple[int, int], float] = {}
    for rows in batches:
        known = set(expected)
        for device, t_ms, value, arrival in rows:
            if arrival >= expected.get((device, t_ms), (-1, 0))[0]:
                expected[device, t_ms] = arrival, value
        settled = settle(table, rows)
        assert sorted(rows[i][:2] for i in settled.fresh) == sorted(set(expected) - known)
        for i in settled.fresh:
            counted[rows[i][:2]] = rows[i][2]
        for i, replaced in zip(settled.corrected, settled.replaced, strict=True):
            assert counted[rows[i][:2]] == replaced != rows[i][2]
            counted[rows[i][:2]] = rows[i][2]
        assert counted == {identity: value for identity, (_, value) in expected.items()}
        assert [rows[i][:2] for i in settled.by_device] == sorted(row[:2] for row in rows)


def test_a_full_table_never_loses_a_new_reading() -> None:
    table = RecentReadings(bits=4)
    for round_ in range(20):
        assert len(settle(table, [(device, round_, 1, 0) for device in range(1000)]).fresh) == 1000


def test_memory_is_bounded() -> None:
    assert RecentReadings().nbytes <= 6.5 * 1024 * 1024
