"""What the database acknowledged is there after it was killed in the middle of its work."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
from pymongo import MongoClient, ReplaceOne
from pymongo.errors import PyMongoError

from backend.contract.ports import Ports
from stack import mongo
from tests.helpers.free_ports import free_offset
from tests.helpers.wait import wait_until

_ROUNDS = 4


def test_nothing_acknowledged_is_lost_with_the_process(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    enough = 0
    for number in range(_ROUNDS):
        with served(tmp_path) as (port, process):
            writer = threading.Thread(target=write, args=(port, number, acknowledged))
            writer.start()
            enough += 300
            wait_until(lambda: len(acknowledged) > enough, 60, "some writes")  # noqa: B023 (it is called at once)
            process.kill()
            process.wait(30)
            writer.join(60)
            assert not writer.is_alive()
    with served(tmp_path) as (port, _), client(port) as found:
        stored = {document["device_id"] for document in found["durable"]["messages"].find()}
    assert not acknowledged - stored


def write(port: int, number: int, acknowledged: set[str]) -> None:
    """Small batches, as the sink writes when readings come slowly, until the server is gone."""
    with client(port) as writes:
        for batch in range(100_000):
            names = [f"{number}-{batch}-{place}" for place in range(7)]
            try:
                writes["durable"]["messages"].bulk_write(
                    [ReplaceOne({"device_id": name}, {"device_id": name, "value": 1.0}, upsert=True) for name in names],
                    ordered=False,
                )
            except PyMongoError:
                return
            acknowledged.update(names)


def client(port: int) -> MongoClient[dict[str, Any]]:
    return pymongo.MongoClient("127.0.0.1", port, directConnection=True, retryWrites=False, serverSelectionTimeoutMS=2000)


@contextmanager
def served(data_dir: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The server as the local target starts it, with what is in the folder already."""
    choice, port = mongo.choose(data_dir=data_dir), Ports(free_offset()).mongo
    command = mongo.command(choice, data_dir=data_dir, port=port)
    with (data_dir / "log").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | mongo.environment(choice), stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), 60, "the database")
        yield port, process
    finally:
        process.kill()
        process.wait(30)


def answers(port: int) -> bool:
    try:
        with client(port) as found:
            return bool(found.admin.command("ping")["ok"])
    except PyMongoError:
        return False
