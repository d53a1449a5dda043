"""Entry points: what they render and which program they become."""

import os
import stat
from pathlib import Path

import pytest

from stack.container import __main__ as entry
from stack.container import environment, gateway, kafka, mongo, spark
from stack.container.environment import Environment, SettingError


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (environment, kafka, gateway, mongo):
        monkeypatch.setattr(module, "RUN_DIR", tmp_path)
    for module in (kafka, spark):
        monkeypatch.setattr(module, "own_address", lambda *_peers: "10.0.0.7")
    return tmp_path


def properties(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text("ascii").splitlines())


def test_outside_clients_need_a_login_and_our_services_none(run_dir: Path) -> None:
    command = kafka.broker(Environment({"PAAI_EXTERNAL": "192.0.2.1:9092"}))
    found = properties(run_dir / "broker.properties")

    assert command[-2:] == ("kafka.Kafka", str(run_dir / "broker.properties"))
    assert found["listeners"] == "INTERNAL://0.0.0.0:29092,EXTERNAL://0.0.0.0:9092"
    assert found["advertised.listeners"] == "INTERNAL://broker:29092,EXTERNAL://192.0.2.1:9092"
    assert found["listener.security.protocol.map"] == "INTERNAL:PLAINTEXT,EXTERNAL:SASL_PLAINTEXT"
    assert found["listener.name.external.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["allow.everyone.if.no.acl.found"] == "false"
    assert found["authorizer.class.name"] == "kafka.security.authorizer.AclAuthorizer"
    assert found["zookeeper.connect"] == "zookeeper:2181"
    assert found["default.replication.factor"] == "1"


def test_a_broker_of_several_is_a_voter(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formatted: list[tuple[str, str]] = []
    monkeypatch.setattr(kafka, "_format", lambda _file, cluster, data: formatted.append((cluster, data)))
    kafka.broker(
        Environment(
            {
                "PAAI_EXTERNAL": "192.0.2.2:9192",
                "PAAI_NODE_ID": "2",
                "PAAI_INTERNAL_HOST": "broker-2",
                "PAAI_VOTERS": "1@broker:9093,2@broker-2:9093,3@broker-3:9093",
                "PAAI_CLUSTER_ID": "cGFhaS1tb25pdG9yLTAwMQ",
                "PAAI_REPLICATION_FACTOR": "3",
            }
        )
    )
    found = properties(run_dir / "broker.properties")

    assert formatted == [("cGFhaS1tb25pdG9yLTAwMQ", "/data")]
    assert found["node.id"] == "2"
    assert "zookeeper.connect" not in found
    assert found["listeners"].endswith("CONTROLLER://0.0.0.0:9093")
    assert found["advertised.listeners"] == "INTERNAL://broker-2:29092,EXTERNAL://192.0.2.2:9192"
    assert found["authorizer.class.name"] == "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    assert (found["default.replication.factor"], found["min.insync.replicas"]) == ("3", "2")
    assert int(found["leader.imbalance.check.interval.seconds"]) <= 60


def test_connect_reads_secrets_and_no_other_files(run_dir: Path) -> None:
    kafka.connect(Environment({"PAAI_KAFKA_BOOTSTRAP": "broker:29092"}))
    found = properties(run_dir / "connect.properties")

    assert found["config.providers.file.param.allowed.paths"] == "/run/secrets"
    assert found["rest.advertised.host.name"] == "10.0.0.7"


def test_an_address_is_found_while_one_of_several_peers_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Probe:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> "Probe":
            return self

        def __exit__(self, *_: object) -> None: ...
        def connect(self, address: tuple[str, int]) -> None:
            asked.append(address[0])
            if address[0] != "broker-2":
                raise OSError(-2, "Name or service not known")

        def getsockname(self) -> tuple[str, int]:
            return "10.0.0.7", 9

    monkeypatch.setattr("stack.container.environment.socket.socket", Probe)

    assert environment.own_address("broker", "broker-2", "broker-3") == "10.0.0.7"
    assert asked == ["broker", "broker-2"]
    with pytest.raises(SettingError, match="broker, broker-3: not found within 0 s"):
        environment.own_address("broker", "broker-3", timeout_s=0)


def test_executors_unpack_libraries_where_code_may_be_run(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", "/opt/paai/lib/pyspark")
    for name in ("SPARK_LOCAL_HOSTNAME", "SPARK_LOCAL_DIRS", "SPARK_SCALA_VERSION", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PAAI_SPARK_CORES", "2")
    monkeypatch.setenv("PAAI_EXECUTOR_MEMORY", "640m")

    command = spark.aggregate(Environment({}))

    options = next(word for word in command if word.startswith("spark.executor.extraJavaOptions="))
    assert "-Djava.io.tmpdir=/work" in options
    assert "spark.driver.host=10.0.0.7" in command
    assert command[-1] == "/opt/paai/app/spark/aggregate.py"


def test_the_prediction_job_leaves_a_starting_machine_to_the_aggregates(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SPARK_LOCAL_HOSTNAME", "SPARK_LOCAL_DIRS", "SPARK_SCALA_VERSION", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON",
        "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "PAAI_SPARK_CORES", "PAAI_EXECUTOR_MEMORY",
    ):  # fmt: skip
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SPARK_HOME", "/opt/paai/lib/pyspark")
    waited: list[str] = []
    monkeypatch.setattr(spark, "wait_for_name", lambda name, *, timeout_s: waited.append(name))

    command = spark.predict(Environment({}))

    assert waited == ["spark-job"]
    assert command[-1] == "/opt/paai/app/spark/predict.py"
    # An executor that wants more cores than the job may take is never started.
    assert f"spark.executor.cores={os.environ['PAAI_SPARK_CORES']}" in command


def test_without_a_model_there_is_no_driver() -> None:
    command = spark.standby(Environment({}))

    assert command[:3] == ("/opt/paai/venv/bin/python", "-m", "spark.standby")
    assert entry.ROLES[command[-1]] is spark.predict


def test_pages_ask_for_the_login_and_keep_it_to_themselves(run_dir: Path, tmp_path: Path) -> None:
    login = tmp_path / "web_login"
    login.write_text("user=web-1\npassword=s3cret\n", "utf-8")

    command = gateway.pages(Environment({"PAAI_WEB_LOGIN_FILE": str(login)}))
    file = Path(command[-1])
    text = file.read_text("ascii")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "user web-1 insecure-password s3cret" in text
    assert text.count("http-request auth") == text.count("frontend page-") == len(gateway.PAGES)
    assert "s3cret" not in " ".join(command)
    with pytest.raises(SettingError, match="PAAI_WEB_LOGIN_FILE must be set"):
        gateway.pages(Environment({}))


def test_gateway_knows_every_replica_and_no_token(run_dir: Path) -> None:
    text = Path(gateway.gateway(Environment({}))[-1]).read_text("ascii")

    assert "server-template paai 16 tasks.paai:8000" in text
    # A node that is cut off neither answers nor refuses.
    assert "tcp-ut 5s" in text
    assert "option srvtcpka" in text
    assert "userlist" not in text


def test_settings_that_cannot_be_used_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAAI_EXTERNAL", raising=False)
    assert entry.main(["broker"]) == entry.EXIT_BAD_SETTINGS
    assert "PAAI_EXTERNAL must be set" in capsys.readouterr().err
    assert entry.main(["nothing"]) == entry.EXIT_BAD_SETTINGS
    with pytest.raises(SettingError, match="PAAI_HEAP_MB must be a whole number above 0, and is 'much'"):
        Environment({"PAAI_HEAP_MB": "much"}).number("PAAI_HEAP_MB", 1)


def test_a_root_password_is_wanted_before_the_database_serves(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "secantusd-rs"
    program.parent.mkdir()
    program.touch()
    monkeypatch.setattr(mongo, "PROGRAMS", (program,))
    monkeypatch.setattr(mongo, "DATA", tmp_path)
    monkeypatch.delenv("WIREDTIGER_CONFIG", raising=False)
    made: list[str] = []
    monkeypatch.setattr(mongo, "_make_root", lambda _command, user, password: made.append(f"{user}:{password}"))
    with pytest.raises(SettingError, match="MONGO_INITDB_ROOT_PASSWORD_FILE must be set"):
        mongo.mongo(Environment({}))
    file = tmp_path / "password"
    file.write_text("s3cret", "utf-8")
    given = Environment({"MONGO_INITDB_ROOT_PASSWORD_FILE": str(file)})

    command = mongo.mongo(given)
    mongo.mongo(given)

    assert made == ["root:s3cret"]  # once
    assert "transaction_sync=(enabled=true" in os.environ.pop("WIREDTIGER_CONFIG")  # what is acknowledged outlives the process
    assert "--auth" in command
    assert "s3cret" not in " ".join(command)
