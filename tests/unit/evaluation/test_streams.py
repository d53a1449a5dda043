"""The evaluation in small: labelled streams, and what the measuring makes of them."""

import numpy as np

from tests.evaluation.measure import OURS, Totals, measure
from tests.evaluation.report import figures, markdown
from tests.evaluation.streams import Stream, drawn_plans
from tests.helpers.models import bundle

PLAN = {
    "seed": 3,
    "stuck": {"share": 0.05, "duration_s": 60.0},
    "dropout": {"share": 0.05, "duration_s": 40.0},
    "late": {"share": 0.01, "magnitude": 5.0},
    "duplicate": {"share": 0.01},
}


def test_a_stream_holds_every_reading_in_the_order_of_arrival() -> None:
    stream = Stream(seed=1, per_type=2, hours=0.25, plan=PLAN)

    parts = list(stream.parts(seconds=100))

    device, t_ms = np.concatenate([p.device for p in parts]), np.concatenate([p.t_ms for p in parts])
    whole = list(Stream(seed=1, per_type=2, hours=0.25, plan=PLAN).parts(seconds=900))
    np.testing.assert_array_equal(t_ms, whole[0].t_ms)
    np.testing.assert_array_equal(device, whole[0].device)
    assert np.any(np.diff(t_ms) < 0)  # late ones
    assert {e.kind for e in stream.events} == {"stuck", "dropout", "late", "duplicate"}


def test_what_is_measured_adds_up() -> None:
    totals = Totals()

    measure(Stream(seed=1, per_type=2, hours=0.25, plan=PLAN), bundle(), totals, simple=False)

    dropout, late = totals.tallies[OURS, "dropout"], totals.tallies[OURS, "late"]
    assert dropout.recall > 0.8
    assert late.recall > 0.8
    assert totals.readings > 6000
    assert "| dropout |" in markdown(figures(totals))


def test_plans_are_spread_evenly_and_differ_by_seed() -> None:
    plans = drawn_plans(1, 4)

    sizes = sorted(plan["spike"]["magnitude"] for plan in plans)
    assert [int(size) for size in sizes] == [4, 5, 6, 7]
    assert plans != drawn_plans(2, 4)
    assert plans == drawn_plans(1, 4)
