"""Unknown figures compare the same on every version of Python."""

import math

from desktop.model.health import Hop, HopState
from desktop.model.predictions.status import PredictionStatus
from desktop.model.unknown import NanEqual


def test_two_unknown_figures_are_equal() -> None:
    for nan in (math.nan, float("nan"), math.inf - math.inf):
        one, other = Hop("kafka", "Kafka", HopState.OK), Hop("kafka", "Kafka", HopState.OK, rate_per_s=nan)
        assert one == other
        assert hash(one) == hash(other)
        assert PredictionStatus() == PredictionStatus(per_s=nan)
    assert (1, PredictionStatus()) == (1, PredictionStatus())


def test_known_figures_are_compared() -> None:
    assert Hop("kafka", "Kafka", HopState.OK, 1.0) != Hop("kafka", "Kafka", HopState.OK)
    assert Hop("kafka", "Kafka", HopState.OK, 1.0) != Hop("kafka", "Kafka", HopState.OK, 2.0)
    assert Hop("kafka", "Kafka", HopState.OK) != "kafka"
    assert issubclass(Hop, NanEqual)
