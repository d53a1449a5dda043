"""The presets are what the generator takes, and are known again from what it answers."""

import pytest

from backend.generator.faultplan import FaultPlan
from desktop.model.faults import NONE, PRESETS, Preset, preset_of


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_the_generator_takes_a_preset_and_answers_what_is_known_again(preset: Preset) -> None:
    answer = FaultPlan.model_validate(dict(preset.plan)).model_dump(exclude_none=True)
    assert preset_of(answer) is preset


def test_what_is_no_preset() -> None:
    assert preset_of({"seed": 3, "spike": {"share": 0.0, "magnitude": 8.0, "duration_s": 1.0}}) is NONE
    assert preset_of({"spike": {"share": 0.5, "magnitude": 8.0, "duration_s": 1.0}}) is None
