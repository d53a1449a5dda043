"""One training: every sensor that has enough history → one bundle, and whether it may be published and promoted."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import sklearn

import backend.scoring
from backend.contract.devices import SENSORS, spoken
from backend.contract.times import to_iso
from backend.predictor.errors import CancelledError, TrainingError
from backend.predictor.models.bundle import Bundle
from backend.predictor.models.forecasters import COVERAGE
from backend.predictor.training.clean import Series, clean
from backend.predictor.training.sensor import Trained, train_sensor
from backend.predictor.training.source import Source
from backend.scoring.layout import FEATURE_VERSION, FEATURES

#: Told the part that is done, 0 … 1, and what is going on.
Report = Callable[[float, str], None]
_READ_PART: Final = 0.15


@dataclass(frozen=True, slots=True)
class Options:
    """What to train on.

    Attributes:
        from_ms, to_ms: Time frame, epoch ms; None = open.
        sensors: Of the contract.
        seed: Of everything drawn; the same history and seed give the same model.
        max_readings: Per sensor; of more, the newest of each device are taken.
        max_devices: Per sensor; of more, some are drawn.
    """

    from_ms: int | None = None
    to_ms: int | None = None
    sensors: Sequence[str] = SENSORS
    seed: int = 0
    max_readings: int = 240_000
    max_devices: int = 48

    def check(self, now_ms: int) -> None:
        """Raises TrainingError for a time frame that can hold nothing."""
        if self.from_ms is not None and self.from_ms > now_ms:
            raise TrainingError(
                f"The time frame begins in the future ({to_iso(self.from_ms)}); there is nothing to train on yet."
            )
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise TrainingError("The time frame is empty: `from` must be before `to`.")


@dataclass(frozen=True)
class Outcome:
    """What a training gave.

    Attributes:
        bundle: Card, profiles and forecasters of the sensors that are good enough; their card says why others are not.
        promote: Whether it may be promoted without asking.
    """

    bundle: Bundle
    promote: bool


def train(source: Source, options: Options, *, report: Report, cancelled: Callable[[], bool]) -> Outcome:
    """Train on a history.

    Raises:
        TrainingError: no sensor gave a model that beats the naive forecasts; the message says why for each.
        CancelledError: `cancelled` became true.
    """
    options.check(int(time.time() * 1000))
    began = time.monotonic()
    refused: dict[str, str] = {}
    done: dict[str, Trained] = {}
    counts: dict[str, dict[str, int]] = {}
    span: list[int] = []
    for number, sensor in enumerate(options.sensors):
        low, high = number / len(options.sensors), (number + 1) / len(options.sensors)

        def tell(part: float, text: str, low: float = low, high: float = high) -> None:
            if cancelled():
                raise CancelledError("The training was cancelled; nothing was stored.")
            report(low + (high - low) * part, text)

        tell(0.0, f"reads {spoken(sensor)}")
        counter: Counter[str] = Counter()
        try:
            series = _read(source, sensor, options, counter, tell)
            total, seen = sum(len(s.t_ms) for s in series), 0

            def step(n: int, sensor: str = sensor, total: int = total, tell: Report = tell) -> None:
                nonlocal seen
                seen += n
                tell(_READ_PART + 0.55 * seen / max(total, 1), f"computes the features of {spoken(sensor)}")

            trained = train_sensor(sensor, series, seed=options.seed, step=step)
        except TrainingError as error:
            refused[sensor] = str(error)
            continue
        finally:
            counts[sensor] = dict(counter)
        if not trained.beats_naive:
            refused[sensor] = (
                f"The model for {spoken(sensor)} does not beat the naive forecasts on the last stretch"
                f" (error {trained.card['held_out']['model']['mae']:.3f} noises); it is not published."
            )
            continue
        span += [min(int(s.t_ms[0]) for s in series), max(int(s.t_ms[-1]) for s in series)]
        done[sensor] = trained
    if not done:
        raise TrainingError(" ".join(refused.values()))
    report(1.0, "done")
    card = _card(options, done, refused, counts, span, took_s=time.monotonic() - began)
    bundle = Bundle(card, {k: t.profile for k, t in done.items()}, {k: t.forecaster for k, t in done.items()})
    return Outcome(bundle, promote=all(t.beats_rolling for t in done.values()))


def _read(source: Source, sensor: str, options: Options, counter: Counter[str], tell: Report) -> list[Series]:
    have = source.devices(sensor)
    if not have:
        raise TrainingError(
            f"There are no {spoken(sensor)} readings in the time frame. Start the fleet, or choose another time frame."
        )
    names = sorted(have, key=lambda name: (-have[name], name))
    if len(names) > options.max_devices:
        # Of the better half, so that a device that came yesterday does not stand for the fleet.
        best = names[: max(options.max_devices, len(names) // 2)]
        drawn = np.random.default_rng(options.seed).choice(len(best), options.max_devices, replace=False)
        names = [best[i] for i in sorted(drawn.tolist())]
    limit = options.max_readings // len(names)
    result = []
    for i, name in enumerate(names):
        tell(_READ_PART * i / len(names), f"reads {spoken(sensor)}, device {i + 1} of {len(names)}")
        series = clean(name, sensor, *source.readings(name, sensor, limit), counter)
        if series is not None:
            result.append(series)
    if not result:
        raise TrainingError(
            f"None of the {counter['read']:,} stored {spoken(sensor)} readings can be used:"
            f" {counter['missing']:,} have no value, {counter['impossible']:,} are outside what the sensor can measure."
        )
    return result


def _card(
    options: Options,
    done: dict[str, Trained],
    refused: dict[str, str],
    counts: dict[str, dict[str, int]],
    span: list[int],
    *,
    took_s: float,
) -> dict[str, Any]:
    return {
        "created": to_iso(int(time.time() * 1000)),
        "took_s": round(took_s, 1),
        "seed": options.seed,
        "from": to_iso(min(span)),
        "to": to_iso(max(span)),
        "asked": {
            "from": None if options.from_ms is None else to_iso(options.from_ms),
            "to": None if options.to_ms is None else to_iso(options.to_ms),
            "sensors": list(options.sensors),
        },
        "rows": counts,
        "coverage": COVERAGE,
        "features": list(FEATURES),
        "feature_version": FEATURE_VERSION,
        "code": code_version(),
        "sklearn": sklearn.__version__,
        "sensors": {name: dict(t.card) for name, t in done.items()},
        "beats_rolling_median": {name: t.beats_rolling for name, t in done.items()},
        "refused": refused,
    }


def code_version() -> str:
    """Hash of the code that computes features and trains: twelve hexadecimal digits."""
    digest = sha256()
    for folder in (Path(backend.scoring.__path__[0]), Path(__file__).parent, Path(__file__).parent.parent / "models"):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
