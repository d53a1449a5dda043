"""Scores batches: the shards' engines, the model that is promoted, and the state that survives a kill."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backend.predictor.models.bundle import Bundle
from backend.scoring.engine import Engine
from backend.scoring.errors import StateError
from backend.scoring.reasons import documents, silence_document
from spark.predict_rows import Rows
from spark.predict_state import EVERY, StateStore

log = logging.getLogger("spark-predict")

Document = dict[str, Any]
_NO_MODEL: Final = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a batch.

    Attributes:
        documents: Predictions; a revised one after those it revises.
        scored: Readings.
        anomalies: Documents that are anomalies.
        model: Version; empty when none was promoted and nothing was scored.
    """

    documents: list[Document]
    scored: int
    anomalies: int
    model: str


class BatchScorer:
    """Scores Spark's batches in their order. Owned by one thread.

    Args:
        store: Of the state.
        model: Gives the promoted model, or None; asked once a batch.
        version: Gives the model of a version for the batches that are scored again after a kill, or None where it is gone.
    """

    def __init__(
        self, *, store: StateStore, model: Callable[[], Bundle | None], version: Callable[[str], Bundle | None] = lambda _: None
    ) -> None:
        self._store, self._model, self._version = store, model, version
        self._engines: dict[int, Engine] = {}
        self._last = -2  # the batch that the engines have seen
        self._snapshot = -1
        self._serving = _NO_MODEL

    def score(self, batch: int, shards: Mapping[int, Rows]) -> Answer:
        """Score a batch; one that comes again gives the same documents again."""
        bundle = self._model()
        if bundle is None:
            return Answer([], 0, 0, _NO_MODEL)
        if self._last != batch - 1:
            self._restore(batch, bundle)
        self._store.record(batch, bundle.version, shards)
        self._use(bundle)
        result: list[Document] = []
        for shard, rows in sorted(shards.items()):
            result += self._one(shard, rows, bundle)
        self._last = batch
        if batch - self._snapshot >= EVERY:
            self._store.snapshot(batch, {shard: engine.state for shard, engine in self._engines.items()})
            self._snapshot = batch
        anomalies = sum(1 for row in result if row["anomaly"])
        return Answer(result, sum(len(rows) for rows in shards.values()), anomalies, bundle.version)

    def _one(self, shard: int, rows: Rows, bundle: Bundle) -> list[Document]:
        engine = self._engines.get(shard)
        if engine is None:
            engine = self._engines[shard] = Engine(bundle.profiles, forecaster=bundle)
        scored = engine.score(rows.device_ids, rows.sensors, rows.t_ms, rows.values)
        model = bundle.version
        return [
            *documents(scored.verdicts, engine.state, model=model),
            *documents(scored.revised, engine.state, model=model),
            *(silence_document(silence, engine.state, model=model) for silence in scored.silences),
        ]

    def _use(self, bundle: Bundle) -> None:
        if bundle.version != self._serving:
            for engine in self._engines.values():
                engine.replace(bundle.profiles, bundle)
            log.info("scores with model %s", bundle.version)
            self._serving = bundle.version

    def _restore(self, batch: int, bundle: Bundle) -> None:
        """Bring the engines to where they were before this batch."""
        self._snapshot, states = self._store.before(batch)
        self._serving = bundle.version
        self._engines = {shard: Engine(bundle.profiles, forecaster=bundle, state=state) for shard, state in states.items()}
        journals = self._store.journals(self._snapshot, batch)
        for number in journals:
            try:
                version, shards = self._store.recorded(number)
            except StateError as error:
                log.warning("the state begins anew at batch %s: %s", number, error)
                self._engines = {}
                continue
            self._use(self._version(version) or bundle)
            for shard, rows in sorted(shards.items()):
                self._one(shard, rows, bundle)
        if states or journals:
            log.info("state restored: snapshot of batch %s, %s batches since", self._snapshot, len(journals))


def newest(found: list[Document]) -> list[Document]:
    """The last document of each `_id`: what a revision replaced need not be stored first."""
    return list({row["_id"]: row for row in found}.values())
