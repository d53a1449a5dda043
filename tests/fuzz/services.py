"""The three services as applications on fakes, for cases made from their OpenAPI documents."""

from pathlib import Path

from backend.common.app import ServiceApp
from backend.common.metrics import Metrics
from backend.contract.messages import DeviceMessage
from backend.generator.main import create_app as create_generator
from backend.generator.settings import GeneratorSettings
from backend.paai import metric_defs
from backend.paai.main import assemble as assemble_paai
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from backend.paai.settings import PaaiSettings
from backend.predictor.jobs import Jobs
from backend.predictor.main import assemble as assemble_predictor
from backend.predictor.settings import PredictorSettings
from tests.helpers.fake_history import FakeHistory
from tests.helpers.fake_kafka import FakeProducer
from tests.helpers.fake_refusals import FakeRefusals
from tests.helpers.models import MemoryRegistry, bundle
from tests.unit.generator.fakes import FakeClock, FakePaai


def paai(*, away: bool = False) -> ServiceApp:
    """Return paai; `away`: neither Kafka nor MongoDB responds."""
    history, refusals = FakeHistory(), FakeRefusals()
    history.add(DeviceMessage("1", "2023-03-28T20:04:22.000Z", "temperature", 25.2))
    history.down = refusals.down = away
    producer = FakeProducer(lambda _key, _value: None)  # keeps nothing: questions stay as quick as they are
    producer.reachable = not away
    metrics = Metrics(metric_defs.ALL)
    options = PublisherOptions("kafka.invalid:9092", ack_timeout_s=1.0)
    publisher = Publisher(options=options, metrics=metrics, factory=producer.factory)
    return assemble_paai(settings=PaaiSettings(), metrics=metrics, publisher=publisher, history=history, refusal_store=refusals)


def generator(*, away: bool = False) -> ServiceApp:
    """Return the generator with a clock that stands still, so that it sends nothing; `away`: it cannot save."""
    clock = FakeClock()
    # A file stands where the folder should be.
    settings = GeneratorSettings(state_dir=Path(__file__) / "state" if away else None, flush_s=0)
    return create_generator(settings, clock=clock, transport=FakePaai(clock).transport)


def predictor(*, away: bool = False) -> ServiceApp:
    """Return the predictor with two models and trainings that end at once; `away`: MongoDB does not respond."""
    registry = MemoryRegistry()
    for low in (-1.0, -3.0):
        registry.publish(bundle(low=low))
    registry.promote("v1")
    registry.promote("v2")
    registry.down = away
    jobs = Jobs(command=lambda _: ["echo", '{"version": "v9"}'])
    return assemble_predictor(settings=PredictorSettings(poll_s=60.0), registry=registry, jobs=jobs)  # type: ignore[arg-type]
