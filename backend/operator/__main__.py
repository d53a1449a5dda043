"""``python -m backend.operator``: run until SIGTERM. ``--healthcheck``: say whether a running one is well (exit 0 or 1)."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from pymongo import MongoClient

from backend.common.log import set_up_logging
from backend.common.settings import load_settings
from backend.common.state import read_state
from backend.contract import names
from backend.contract.documents import DECODING
from backend.contract.login import read_password
from backend.operator.connect_client import HttpConnect
from backend.operator.connector import ConnectorKeeper
from backend.operator.dead_letters import DeadLetterCounter
from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_letters import ConfluentLetters
from backend.operator.kafka_offsets import ConfluentOffsets
from backend.operator.kafka_user_admin import ConfluentUserAdmin
from backend.operator.kafka_users import KafkaUsersKeeper
from backend.operator.keeper import Keeper
from backend.operator.lag import LagWatch
from backend.operator.logins import OLD
from backend.operator.loop import Loop, Pace
from backend.operator.mongo_root import MongoRootKeeper
from backend.operator.mongo_users import MongoUsersKeeper
from backend.operator.retention import RetentionKeeper
from backend.operator.schema import SchemaKeeper, wanted_collections
from backend.operator.settings import ROOT, OperatorSettings
from backend.operator.sink import sink_config
from backend.operator.storing import find_storing
from backend.operator.topics import TopicKeeper, wanted_topics

SERVICE = "kafka-operator"


def build(settings: OperatorSettings, *, state_file: Path) -> Loop:
    """Build and wire everything; talks to nothing yet."""
    timeout_ms = int(settings.call_timeout_s * 1000)

    def admin() -> ConfluentAdmin:
        return ConfluentAdmin(
            bootstrap=settings.kafka_bootstrap,
            timeout_s=settings.call_timeout_s,
            replication_factor=settings.replication_factor,
        )

    # Server selection is short, so that an outage is noticed and said soon; the loop is what waits.
    mongo: MongoClient[dict[str, object]] = MongoClient(
        settings.admin_address,
        **DECODING,
        appname=SERVICE,
        serverSelectionTimeoutMS=min(2000, timeout_ms),
        connectTimeoutMS=min(2000, timeout_ms),
        socketTimeoutMS=max(30_000, timeout_ms),
    )
    pace = Pace(settings.converge_interval_s, settings.steady_interval_s)
    loop: Loop
    topics = TopicKeeper(
        admin=admin(),
        wanted=wanted_topics(retention_hours=settings.retention_hours, retention_bytes=settings.retention_bytes),
    )
    schema = SchemaKeeper(client=mongo, wanted=wanted_collections())
    users: list[Keeper] = []
    if settings.logins_dir is not None:
        user_admin = ConfluentUserAdmin(bootstrap=settings.kafka_bootstrap, timeout_s=settings.call_timeout_s)
        users = [
            MongoUsersKeeper(client=mongo, directory=settings.logins_dir),
            KafkaUsersKeeper(admin=user_admin, directory=settings.logins_dir),
        ]
        if settings.mongo_root_password_file is not None:
            users.insert(0, _root_keeper(settings, settings.mongo_root_password_file, settings.logins_dir, mongo))
    before_sink = [topics.name, schema.name, *(keeper.name for keeper in users if keeper.name == MongoUsersKeeper.name)]
    connector = ConnectorKeeper(
        connect=HttpConnect(url=settings.connect_url, timeout_s=settings.call_timeout_s),
        config=sink_config(
            mongo_uri=settings.sink_address, tasks=settings.sink_tasks, replication_factor=settings.replication_factor
        ),
        watch=LagWatch(
            source=ConfluentOffsets(bootstrap=settings.kafka_bootstrap, timeout_s=settings.call_timeout_s),
        ),
        may_start=lambda: loop.converged(*before_sink),
        topic_generation=lambda: topics.created.get(names.TOPIC_MESSAGES, 0),
        mongo_is_up=lambda: loop.converged(schema.name),
        find_storing=lambda: find_storing(mongo, within_s=settings.stuck_after_s),
        stuck_after_s=settings.stuck_after_s,
        stuck_restart_after_s=settings.stuck_restart_after_s,
    )
    # Patient, and never asking twice at once: what it asks for may take a slow server long, and a question that was given up
    # goes on there all the same.
    patient: MongoClient[dict[str, object]] = MongoClient(
        settings.admin_address,
        **DECODING,
        appname=SERVICE,
        serverSelectionTimeoutMS=timeout_ms,
        connectTimeoutMS=60_000,
        socketTimeoutMS=600_000,
        retryReads=False,
        retryWrites=False,
        maxPoolSize=1,
    )
    retention = RetentionKeeper(
        client=patient,
        raw_hours=settings.retention_hours,
        raw_bytes=settings.retention_bytes,
        aggregate_days=settings.aggregate_retention_days,
        slice_documents=settings.retention_slice,
        pause=lambda seconds: loop.stop.wait(seconds),
    )
    retention_pace = Pace(settings.steady_interval_s, settings.retention_interval_s, counts=False)
    letters = DeadLetterCounter(
        source=ConfluentLetters(bootstrap=settings.kafka_bootstrap, timeout_s=settings.call_timeout_s), client=mongo
    )
    # A count that cannot be taken just now is no fault of the system.
    letters_pace = Pace(settings.converge_interval_s, settings.steady_interval_s, counts=False)
    steady: list[Keeper] = [topics, *users, schema, connector]
    rest: list[tuple[Keeper, Pace]] = [(retention, retention_pace), (letters, letters_pace)]
    loop = Loop(keepers=[*((keeper, pace) for keeper in steady), *rest], state_file=state_file)
    return loop


def _root_keeper(
    settings: OperatorSettings, password: Path, logins: Path, mongo: "MongoClient[dict[str, object]]"
) -> MongoRootKeeper:
    return MongoRootKeeper(
        client=mongo,
        user=ROOT,
        password=lambda: read_password(password),
        former=logins / f"mongo_{ROOT}{OLD}",
        log_in=lambda path: MongoClient(
            settings.former_admin_address(path),
            **DECODING,
            appname=SERVICE,
            serverSelectionTimeoutMS=2000,
            socketTimeoutMS=30_000,
        ),
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m backend.operator", description=__doc__)
    parser.add_argument(
        "--healthcheck", action="store_true", help="exit 0 when a running operator reports that all is as wanted"
    )
    options = parser.parse_args(arguments)
    settings = load_settings(OperatorSettings, service=SERVICE)
    state_file = (settings.state_dir or Path()) / f"{SERVICE}.json"
    if options.healthcheck:
        state = read_state(state_file)
        print(state.message or ("all as wanted" if state.ok else "not converged yet"))
        return 0 if state.ok else 1
    set_up_logging(settings.log_level, service=SERVICE)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every request says nothing
    logging.getLogger("pymongo").setLevel(logging.WARNING)  # at DEBUG it would show what the database keeps of the passwords
    loop = build(settings, state_file=state_file)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.request_stop())
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
