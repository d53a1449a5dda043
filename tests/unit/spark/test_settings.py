"""The job's settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.contract import limits
from spark.settings import JobSettings


def test_the_watermark_covers_a_fast_clock(tmp_path: Path) -> None:
    assert JobSettings(checkpoint_dir=tmp_path).watermark_s >= limits.MAX_FUTURE_S + 2
    with pytest.raises(ValidationError, match="one device whose clock runs ahead"):
        JobSettings(checkpoint_dir=tmp_path, watermark_s=2)


def test_they_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAAI_CHECKPOINT_DIR", str(tmp_path))
    monkeypatch.setenv("PAAI_TRIGGER_S", "0.5")
    assert JobSettings().trigger_s == 0.5  # type: ignore[call-arg]  # from the environment
