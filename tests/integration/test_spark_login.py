"""The Spark job's login: it writes with it, and no page, log or file of Spark's tells the password."""

import os
import re
import subprocess
import sys
from pathlib import Path

from backend.contract import names
from backend.contract.login import Login
from backend.operator.mongo_users import MongoUsersKeeper
from spark.query import REDACTION
from stack.jars import jar_dirs, own_jar
from stack.java import find_java
from stack.mongo.choose import MongoChoice
from tests.helpers import spark_login_probe
from tests.helpers.mongo_server import mongo_with_auth
from tests.helpers.wait import wait_until

PASSWORD = "pw-Never-shown_1"


def test_a_login_writes_and_is_shown_nowhere(tmp_path: Path) -> None:
    own_jar.prepare(on_progress=lambda *_: None, cancel=None)
    choice = MongoChoice("secantusd-py", Path(sys.executable).parent / "secantusd-py", "", "")
    events = tmp_path / "events"
    for directory in ("events", "logins", "mongo"):
        (tmp_path / directory).mkdir()
    login_file = tmp_path / "logins" / "mongo_spark"
    login_file.write_text(Login("spark-1", PASSWORD).render(), encoding="utf-8")
    with mongo_with_auth(choice, tmp_path / "mongo") as server, server.client() as root:
        keeper = MongoUsersKeeper(client=root, directory=login_file.parent)
        wait_until(lambda: keeper.step().converged, 20, "the user")
        environment = {
            **os.environ,
            "PAAI_MONGO_URI": server.uri,
            "PAAI_MONGO_LOGIN_FILE": str(login_file),
            "PAAI_CHECKPOINT_DIR": str(tmp_path / "checkpoint"),
            "PYSPARK_SUBMIT_ARGS": (
                f"--master local[1] --conf spark.driver.extraClassPath={jar_dirs().spark}/*:{own_jar.path()}"
                " --driver-memory 512m pyspark-shell"
            ),
            "PYSPARK_PYTHON": sys.executable,
            "JAVA_HOME": str(find_java().path),
            "PYTHONPATH": str(Path(spark_login_probe.__file__).parents[2]),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.helpers.spark_login_probe", str(events)],
            capture_output=True, text=True, timeout=400, env=environment, check=False,
        )  # fmt: skip
        assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if not line.startswith("\t"))[-4000:]
        assert root[names.DATABASE][names.COLLECTION_AGGREGATES].find_one() is not None

    told = {"output": done.stdout, "log": done.stderr}
    for folder in (events, tmp_path / "checkpoint"):
        told |= {str(p): p.read_text("utf-8", "replace") for p in folder.rglob("*") if p.is_file()}
    assert "WindowWriter(" in done.stdout, "the pages that would tell it were not looked at"
    assert {name: text.count(PASSWORD) for name, text in told.items() if PASSWORD in text} == {}


def test_what_is_redacted() -> None:
    for key in ("connection.uri", "spark.mongodb.write.connection.uri", "some.password", "kafka.sasl.jaas.token"):
        assert re.search(REDACTION["spark.redaction.regex"], key)
    address = REDACTION["spark.redaction.string.regex"]
    assert re.sub(address, "***", "x mongodb://u:p@h:1/?a=b y") == "x mongodb://***@h:1/?a=b y"
    assert re.sub(address, "***", "mongodb://h:1/?a=b@c") == "mongodb://h:1/?a=b@c"
