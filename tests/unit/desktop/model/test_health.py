"""The judgement: the right sentence, worst first, without flicker."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.contract.held import Held
from desktop.model.fleet import FleetState
from desktop.model.health import CLEAR_AFTER_S, Health, HealthInputs, HopState, Link, Severity, assess
from desktop.model.progress import JobProgress, SinkProgress
from desktop.model.snapshot import FeedStats
from stack.target import ServiceStatus

NOW = 1_795_499_070.0
NAMES = (
    "zookeeper",
    "broker",
    "connect",
    "mongodb",
    "kafka-operator",
    "spark-master",
    "spark-worker",
    "spark-job",
    "paai",
    "generator",
)


def services(**messages: str) -> tuple[ServiceStatus, ...]:
    return tuple(
        ServiceStatus(n, 1, 1, n.replace("-", "_") not in messages, 0, messages.get(n.replace("-", "_"), "")) for n in NAMES
    )


def good(**changes: object) -> HealthInputs:
    inputs = HealthInputs(
        now=NOW,
        services=services(),
        fleet=FleetState(
            counts={"Thermostat": 100}, running=True, wanted_per_s=100.0, sent_per_s=100.0, as_of=NOW
        ),
        kafka=Link(True, NOW - 600),
        mongo=Link(True, NOW - 600),
        stats=FeedStats(
            readings_per_s=100.0, latency_ms=50.0, consumer_lag=0, received=1000, last_received=NOW - 0.1,
            newest_window_end=NOW - 6, window_delay_s=5.0,
        ),
        job=JobProgress(at=NOW - 1, input_per_s=100.0, processed_per_s=300.0, batch_s=0.6, lag=0),
        sink=SinkProgress(NOW - 1, 20, 100.0, 100.0, 0.0),
        started=NOW - 600,
    )  # fmt: skip
    return replace(inputs, **changes)  # type: ignore[arg-type]


def test_all_well_says_nothing() -> None:
    health = assess(good())
    assert (health.sentence, health.messages, health.state) == ("", (), HopState.OK)
    assert [h.key for h in health.hops] == ["generator", "paai", "kafka", "sink", "spark", "mongodb", "desktop"]
    assert health.hop("kafka").rate_per_s == 100.0


def test_kafka_gone_says_since_when_and_until_when() -> None:
    until = datetime.fromtimestamp(NOW - 12.5).astimezone().strftime("%H:%M:%S")
    stats = replace(good().stats, last_received=NOW - 12.5)
    health = assess(good(kafka=Link(False, NOW - 12, "refused"), stats=stats))
    assert health.sentence == f"Kafka has not answered for 12 s; charts show what was received until {until}"
    assert health.hop("kafka").state is HopState.FAILED
    assert health.messages[0].severity is Severity.ERROR


def test_a_held_partition_is_named_with_its_begin() -> None:
    since = datetime.fromtimestamp(NOW - 20).astimezone().strftime("%H:%M:%S")
    health = assess(good(held=(Held(1, NOW - 20, 7),)))
    assert health.sentence.startswith(f"An open transaction holds partition 1 since {since}: 7 records not readable yet.")
    assert health.hop("kafka").state is HopState.DEGRADED


@pytest.mark.parametrize("stopped", [True, False])
def test_an_end_that_nobody_asked_for_is_said_and_a_stop_is_not(stopped: bool) -> None:
    gone = tuple(replace(s, running=0, healthy=False, stopped=stopped) for s in services())
    health = assess(good(services=gone))
    assert health.sentence == ("" if stopped else "The system ended unexpectedly. Deploy it again")


def test_a_system_that_is_just_being_started_has_not_ended() -> None:
    begun = tuple(replace(s, running=0, healthy=False, since=datetime.now(UTC)) for s in services())
    assert assess(good(services=begun)).sentence == ""


def test_a_short_silence_is_not_worth_a_word() -> None:
    assert assess(good(kafka=Link(False, NOW - 1))).sentence == ""


def test_the_first_answer_may_take_a_while() -> None:
    waiting = Link(False, NOW - 4)
    assert assess(good(mongo=waiting, kafka=waiting, started=NOW - 4)).sentence == ""
    assert "MongoDB has not answered for 9 s" in assess(good(mongo=Link(False, NOW - 9), started=NOW - 9)).sentence


def test_mongodb_gone() -> None:
    assert assess(good(mongo=Link(False, NOW - 30))).sentence.startswith(
        "MongoDB has not answered for 30 s; aggregates are shown until"
    )


def test_unhealthy_services_are_counted_and_named() -> None:
    sentence = assess(good(services=services(connect="task failed", paai="", spark_job=""))).sentence
    assert sentence == "3 of 10 services are not healthy: connect, spark-job, paai (task failed)"
    assert assess(good(services=services(paai=""))).sentence == "1 of 10 services is not healthy: paai"


def test_what_is_still_starting_is_no_warning() -> None:
    """Prediction comes last in a deployment: it is awaited by nobody, and needs nobody's attention yet."""
    moment = datetime.fromtimestamp(NOW - 5, UTC)
    young = tuple(replace(s, since=moment) for s in services(spark_job="nothing listens there", paai="nothing listens there"))
    last = replace(young[0], service="predictor", running=0, healthy=False, message="Stopped.", stopped=True, since=None)
    health = assess(good(services=(*young, last)))
    assert health.sentence == "spark-job, paai, predictor are still starting"
    assert health.severity is Severity.INFO
    old = datetime.fromtimestamp(NOW - 100, UTC)
    for late in (
        tuple(replace(s, since=old) for s in young),
        (*(replace(s, since=old) for s in services()), last),
        tuple(replace(s, restarts=1) for s in young),
    ):
        health = assess(good(services=late))
        assert "not healthy" in health.sentence
        assert health.severity is Severity.WARNING


def test_a_system_that_is_down_is_no_warning() -> None:
    stopped = tuple(replace(s, running=0, healthy=False, stopped=True) for s in services())
    health = assess(HealthInputs(now=NOW, services=stopped, started=NOW))
    assert health.sentence == ""
    assert health.hop("paai").state is HopState.STOPPED


def test_spark_behind_says_why() -> None:
    stats = replace(good().stats, newest_window_end=NOW - 33)
    slow = JobProgress(at=NOW - 1, batch_s=3.1, lag=500)
    assert assess(good(stats=stats, job=slow)).sentence == "Spark is 14 s behind because batches take 3.1 s"
    silent = JobProgress(at=NOW - 45, batch_s=0.5)
    assert assess(good(stats=stats, job=silent)).sentence.endswith("its job has not reported for 45 s")
    assert assess(good(stats=stats, job=None)).sentence.endswith("because no newer window has come")


def test_no_window_at_all_after_a_while() -> None:
    assert "has not written a window yet" in assess(good(stats=replace(good().stats, newest_window_end=None))).sentence
    young = good(stats=replace(good().stats, newest_window_end=None), started=NOW - 10)
    assert assess(young).sentence == ""


def test_a_stopped_fleet_makes_no_spark_warning() -> None:
    stats = replace(good().stats, readings_per_s=0.0, newest_window_end=NOW - 500, last_received=NOW - 500)
    health = assess(good(stats=stats, fleet=replace(good().fleet, running=False)))
    assert health.sentence == ""
    assert health.hop("generator").state is HopState.STOPPED


def test_a_machine_at_its_limit() -> None:
    sink = SinkProgress(NOW, 40_000, 1_900.0, 2_400.0, 500.0)
    sentence = assess(good(sink=sink)).sentence
    assert sentence.startswith("The machine stores 1\u202f900 of 2\u202f400 readings/s")
    assert "fewer devices" in sentence


def test_nothing_arrives_although_everything_answers() -> None:
    stats = replace(good().stats, readings_per_s=0.0, last_received=NOW - 40)
    fleet = replace(good().fleet, sent_per_s=0.0)
    assert assess(good(stats=stats, fleet=fleet)).sentence == (
        "No reading has come for 40 s although 100 devices should send: paai takes none; see paai's log"
    )


def test_generator_behind_its_schedule() -> None:
    fleet = replace(good().fleet, behind_ms=2_500.0, sent_per_s=80.0)
    assert assess(good(fleet=fleet)).sentence.startswith("The generator is 2.5 s behind its schedule: it sends 80 of 100")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"failure": "kafka-feed: KeyError: x"}, "failed and is restarting"),
        ({"topic_missing": True}, "no topic"),
        ({"fleet": FleetState(error="The generator cannot be reached", as_of=NOW - 60)}, "The fleet is not known"),
        ({"fleet": FleetState(running=True, wanted_per_s=10, backlog=500, as_of=NOW)}, "wait at the generator"),
    ],
)
def test_other_sentences(changes: dict[str, object], part: str) -> None:
    assert part in assess(good(**changes)).sentence


def test_errors_come_before_warnings_and_causes_before_effects() -> None:
    inputs = good(kafka=Link(False, NOW - 12), mongo=Link(False, NOW - 12), services=services(broker="", mongodb=""))
    assert [m.key for m in assess(inputs).messages] == ["kafka-silent", "mongo-silent", "services"]


def test_a_sentence_stays_for_a_moment_and_then_goes() -> None:
    first = assess(good(kafka=Link(False, NOW - 12)))
    soon = assess(good(now=NOW + CLEAR_AFTER_S / 2, kafka=Link(True, NOW)), first)
    later = assess(good(now=NOW + CLEAR_AFTER_S + 0.1, kafka=Link(True, NOW)), soon)
    assert (soon.sentence, later.sentence) == (first.sentence, "")


def test_figures_around_a_bound_do_not_flicker() -> None:
    """8 s beyond what is expected begins it, below 4 s ends it; between them it stays as it is."""
    before: Health | None = None
    said = []
    for i, age in enumerate([24, 26, 28, 26, 28, 26, 22, 22, 26]):
        now = NOW + 10 * i
        stats = replace(good().stats, newest_window_end=now - age, last_received=now)
        fleet = replace(good().fleet, as_of=now)
        before = assess(good(now=now, stats=stats, fleet=fleet, job=None, sink=SinkProgress()), before)
        said.append(bool(before.sentence))
    assert said == [False, False, True, True, True, True, False, False, False]


def test_the_same_inputs_give_the_same_judgement() -> None:
    inputs = good(kafka=Link(False, NOW - 12))
    assert assess(inputs) == assess(inputs)
