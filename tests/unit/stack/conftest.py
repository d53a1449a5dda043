"""A data directory and a supervisor in memory."""

from pathlib import Path

import pytest

from stack.local.layout import Layout
from tests.helpers.fake_supervisor import FakeSupervisor


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty data directory with all its folders."""
    found = Layout.of(tmp_path / "data")
    found.create()
    return found


@pytest.fixture
def supervisor() -> FakeSupervisor:
    """Nothing started yet."""
    return FakeSupervisor()
