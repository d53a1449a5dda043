"""The window deploys the stack, moves a slider, draws readings and windows, exports them: the end-to-end test on a swarm."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.e2e.conftest import Stage
from tests.e2e.test_desktop import test_deploys_drives_the_fleet_draws_and_exports
from tests.swarm.system import LiveSwarm

__all__ = ["test_deploys_drives_the_fleet_draws_and_exports"]


@pytest.fixture
def stage(swarm: LiveSwarm, qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    """A window over the stack, which does not run yet and has no data: a first look, after `make build`."""
    for _ in (*swarm.target.down(purge=True), *swarm.target.build()):
        pass
    made = Stage(app=qapp, qtbot=qtbot, folder=tmp_path, target=swarm.target)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def database(swarm: LiveSwarm, stage: Stage) -> Iterator[Database[dict[str, Any]]]:
    """The stack's database, read beside the window."""
    with swarm.database() as found:
        yield found
