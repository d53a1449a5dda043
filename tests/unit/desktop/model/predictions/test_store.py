from dataclasses import replace

import numpy as np
import pytest

from desktop.model.predictions.expectations import Expectations
from desktop.model.predictions.record import Grade, Prediction
from desktop.model.predictions.store import PredictionStore

NAN = float("nan")


def at(t_ms: int, *, device: str = "d1", expected: float = 20.0, anomaly: bool = False, value: float = 21.0) -> Prediction:
    return Prediction(
        id=f"{device}/{t_ms}",
        device_id=device,
        sensor="temperature",
        t_ms=t_ms,
        value=value,
        expected=expected,
        lower=expected - 1,
        upper=expected + 1,
        anomaly=anomaly,
        kind="spike" if anomaly else "",
        grade=Grade.WARNING if anomaly else Grade.NONE,
        since_ms=t_ms if anomaly else 0,
    )


def test_expectations_are_ascending_and_the_last_word_stays() -> None:
    kept = Expectations()
    kept.add([at(3_000), at(1_000)])
    kept.add([at(2_000), at(3_000, expected=25.0), at(4_000, value=NAN)])
    cut = kept.cut("d1", 0, 10_000, 100)
    assert cut is not None
    assert cut.t.tolist() == [1.0, 2.0, 3.0], "a silence is no reading"
    assert cut.expected.tolist() == [20.0, 20.0, 25.0]
    assert cut.upper.tolist() == [21.0, 21.0, 26.0]


def test_a_gap_is_a_gap() -> None:
    kept = Expectations()
    kept.add([at(1_000 * n) for n in (1, 2, 3, 4, 20, 21, 22)])
    cut = kept.cut("d1", 0, 30_000, 100)
    assert cut is not None
    gap = np.flatnonzero(np.isnan(cut.expected))
    assert cut.t[gap].tolist() == [12.0]
    assert np.isnan(cut.lower[gap]).all()


def test_a_cut_reaches_over_its_edges_and_is_no_finer_than_needed() -> None:
    kept = Expectations()
    kept.add([at(1_000 * n) for n in range(1_000)])
    cut = kept.cut("d1", 100_000, 200_000, 10_000)
    assert cut is not None
    assert (cut.t[0], cut.t[-1]) == (99.0, 201.0)
    coarse = kept.cut("d1", 0, 1_000_000, 20)
    assert coarse is not None
    assert len(coarse.t) <= 45
    assert kept.cut("d1", 2_000_000, 3_000_000, 20) is None


def test_expectations_are_bounded() -> None:
    kept = Expectations(max_readings=10)
    kept.add([at(1_000 * n) for n in range(25)])
    kept.drop_before(20_000)
    assert len(kept) == 5


@pytest.fixture
def store() -> PredictionStore:
    made = PredictionStore(max_marks=3)
    made.set_focus(["d1"])
    return made


def test_expected_values_are_kept_of_focus_devices_alone(store: PredictionStore) -> None:
    store.ingest([at(1_000), at(2_000), at(1_000, device="d2")])
    assert [e.device_id for e in store.expected("temperature", 0, 10, 100)] == ["d1"]
    store.set_focus(["d2"])
    assert store.expected("temperature", 0, 10, 100) == ()


def test_marks_of_every_device(store: PredictionStore) -> None:
    new = store.ingest([at(2_000, anomaly=True), at(1_000, device="d9", anomaly=True, value=NAN), at(3_000)])
    assert {e.key.device_id for e in new} == {"d1", "d9"}
    marks = store.marks("temperature", 0, 10)
    assert marks.t.tolist() == [1.0, 2.0]
    assert marks.device_ids == ("d9", "d1")
    assert np.isnan(marks.value[0])
    assert store.marks("temperature", 1.5, 10).device_ids == ("d1",)
    assert store.marks("humidity", 0, 10).device_ids == ()


def test_a_revision_takes_a_mark_away(store: PredictionStore) -> None:
    store.ingest([at(2_000, anomaly=True)])
    store.ingest([at(2_000)])
    assert store.marks("temperature", 0, 10).device_ids == ()
    assert store.events() == []


def test_a_device_that_was_taken_out_of_the_fleet_has_no_mark(store: PredictionStore) -> None:
    silences = [
        replace(at(1_000, device=device, anomaly=True, value=NAN), kind="dropout", grade=Grade.CRITICAL, reason="Dropout.")
        for device in ("thermostat-00004", "thermostat-00002")
    ]
    store.ingest(silences)
    store.set_fleet({"thermostat": 3})
    marks = store.marks("temperature", 0, 10)
    assert marks.device_ids == ("thermostat-00002",)
    assert marks.reasons == ("Dropout.",)


def test_marks_are_bounded(store: PredictionStore) -> None:
    store.ingest([at(1_000 * n, anomaly=True) for n in range(9)])
    assert store.marks("temperature", 0, 10).t.tolist() == [6.0, 7.0, 8.0]
