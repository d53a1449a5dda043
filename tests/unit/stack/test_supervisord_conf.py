"""The generated configuration, read back by supervisord's own parser."""

from pathlib import Path
from typing import Any

import pytest
from supervisor.options import ServerOptions

from backend.contract.ports import Ports
from spark.process import RESET_AFTER_S
from stack.catalogue import SERVICES
from stack.jvm.spark import WORKER_CORES
from stack.local import supervisord
from stack.local.layout import MARKER, Layout
from stack.local.program import Program
from stack.local.services import Tools, all_programs

PORTS = Ports(3000)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(
        python=tmp_path / "python",
        java=tmp_path / "jdk" / "bin" / "java",
        java_version="17",
        own_jar=tmp_path / "paai.jar",
        pyspark_home=tmp_path / "pyspark",
        kafka_jars=tmp_path / "jars" / "kafka",
        spark_jars=tmp_path / "jars" / "spark",
        mongo_command=("mongod", "--port", "30017"),
        mongo_environment={"WIREDTIGER_CONFIG": "transaction_sync=(enabled=true)"},
    )


def read(layout: Layout, programs: tuple[Program, ...]) -> dict[str, list[Any]]:
    """Process configurations by group, as supervisord understands them."""
    layout.supervisor_conf.write_text(supervisord.render(layout, programs), "utf-8")
    options: Any = ServerOptions()  # type: ignore[no-untyped-call]  # supervisor has no types
    options.realize(args=["-c", str(layout.supervisor_conf)])
    return {group.name: group.process_configs for group in options.process_group_configs}


def test_every_service_has_its_program(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    assert set(groups) == {service.name for service in SERVICES} | {supervisord.LISTENER}
    assert len(groups["paai"]) == 16
    assert {p.name for p in groups["paai"]} == {str(n) for n in range(16)}


def test_nothing_starts_by_itself_and_everything_is_restarted(layout: Layout, tools: Tools) -> None:
    for name, processes in read(layout, all_programs(layout, PORTS, tools)).items():
        for process in processes:
            if name != supervisord.LISTENER:
                assert not process.autostart
                assert process.autorestart, name
                assert process.killasgroup


def test_the_broker_refuses_a_batch_too_large_to_unpack_and_keeps_running(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    flagged = {name for name, processes in groups.items() if "ExitOnOutOfMemoryError" in processes[0].command}
    assert "broker" not in flagged
    assert {"zookeeper", "connect"} <= flagged


def test_logs_are_rotated_files_of_the_data_directory(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    assert groups["broker"][0].stdout_logfile == str(layout.log_file("broker"))
    assert {p.stdout_logfile for p in groups["paai"]} == {str(layout.log_file("paai", n)) for n in range(16)}
    assert groups["broker"][0].stdout_logfile_maxbytes > 0
    assert groups["broker"][0].stdout_logfile_backups > 0
    assert groups["broker"][0].redirect_stderr


def test_the_database_gets_what_makes_its_writes_durable(layout: Layout, tools: Tools) -> None:
    database = read(layout, all_programs(layout, PORTS, tools))["mongodb"][0]
    assert database.environment["WIREDTIGER_CONFIG"] == "transaction_sync=(enabled=true)"


def test_the_spark_job_is_not_restarted_when_it_needs_a_reset(layout: Layout, tools: Tools) -> None:
    job = read(layout, all_programs(layout, PORTS, tools))["spark-job"][0]
    assert job.exitcodes == [78]
    assert job.autorestart.__name__ == "RestartWhenExitUnexpected"
    # An exit sooner than that would be a failed start, which supervisord repeats whatever its code.
    assert job.startsecs < RESET_AFTER_S


def test_prediction_is_nice_and_both_sides_seal_with_one_key(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    predictor, job = groups["predictor"][0], groups["spark-predict"][0]
    assert predictor.command.startswith("nice -n 5 ")
    assert job.command.startswith(f"nice -n 10 {tools.python} -m spark.standby {tools.java} ")
    assert not any(
        group[0].command.startswith("nice") for name, group in groups.items() if name not in ("predictor", "spark-predict")
    )
    assert predictor.environment["PAAI_MODEL_KEY_FILE"] == job.environment["PAAI_MODEL_KEY_FILE"] == str(layout.model_key)
    assert predictor.environment["PAAI_PORT"] == "11001"


def test_each_spark_job_has_its_own_checkpoint_and_cores_are_left_for_it(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    jobs = [groups[name][0] for name in layout.checkpoints]
    assert [job.exitcodes for job in jobs] == [[78], [78]]
    assert len({job.environment["PAAI_CHECKPOINT_DIR"] for job in jobs}) == 2
    assert sum(int(job.environment["PAAI_SPARK_CORES"]) for job in jobs) <= WORKER_CORES


def test_exit_0_of_a_service_counts_as_unexpected(layout: Layout, tools: Tools) -> None:
    assert read(layout, all_programs(layout, PORTS, tools))["generator"][0].exitcodes == []


def test_paai_shares_one_socket(layout: Layout, tools: Tools) -> None:
    text = supervisord.render(layout, all_programs(layout, PORTS, tools))
    assert "[fcgi-program:paai]" in text
    assert "socket=tcp://127.0.0.1:11000" in text
    environment = read(layout, all_programs(layout, PORTS, tools))["paai"][0].environment
    assert environment["PAAI_FD"] == "0"
    assert environment["PROMETHEUS_MULTIPROC_DIR"] == str(layout.metrics)


def test_services_learn_the_shifted_addresses(layout: Layout, tools: Tools) -> None:
    groups = read(layout, all_programs(layout, PORTS, tools))
    operator = groups["kafka-operator"][0].environment
    assert operator["PAAI_KAFKA_BOOTSTRAP"] == "127.0.0.1:12092"
    assert operator["PAAI_CONNECT_URL"] == "http://127.0.0.1:11083"
    assert operator["PAAI_STATE_DIR"] == str(layout.state)
    assert groups["generator"][0].environment["PAAI_URL"] == "http://127.0.0.1:11000"
    assert groups["spark-job"][0].environment["PAAI_CHECKPOINT_DIR"] == str(layout.checkpoints["spark-job"])


def test_spaces_commas_and_accents_survive(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path / "my data= ünique")
    layout.create()
    value = "a b,c=%d;é"
    process = read(layout, (Program("generator", ("/bin/my prog", "an arg", "50%"), {"PAAI_X": value}),))["generator"][0]
    assert process.environment["PAAI_X"] == value
    assert process.command == "'/bin/my prog' 'an arg' 50%"
    assert process.directory == str(layout.work)


def test_no_stray_setting_of_the_user_reaches_a_service(layout: Layout) -> None:
    inherited = {
        "PATH": "/bin",
        "HOME": "/h",
        "PAAI_TOKEN": "x",
        "JAVA_TOOL_OPTIONS": "-Xmx1m",
        "SPARK_HOME": "/s",
        "PYTHONPATH": "/p",
    }
    environment = supervisord.daemon_environment(layout, inherited)
    assert environment["PATH"] == "/bin"
    assert environment[MARKER] == str(layout.data_dir)
    assert not {"PAAI_TOKEN", "JAVA_TOOL_OPTIONS", "SPARK_HOME", "PYTHONPATH"} & set(environment)


def test_every_jvm_and_executor_unpacks_its_libraries_in_the_data_directory(layout: Layout, tools: Tools) -> None:
    programs = {program.service: program for program in all_programs(layout, PORTS, tools)}
    jvms = [program for program in programs.values() if program.command[0] == str(tools.java)]
    assert len(jvms) == 7
    assert all(f"-Djava.io.tmpdir={layout.tmp}" in program.command for program in jvms)
    for job in ("spark-job", "spark-predict"):
        options = next(word for word in programs[job].command if word.startswith("spark.executor.extraJavaOptions="))
        assert f'"-Djava.io.tmpdir={layout.tmp}"' in options
    assert supervisord.daemon_environment(layout, {"TMPDIR": "/tmp"})["TMPDIR"] == str(layout.tmp)


def test_no_class_path_leads_through_the_data_directory(layout: Layout, tools: Tools) -> None:
    """Spark puts its folder of settings there too. Java loads nothing from a folder with an emoji."""
    for program in all_programs(layout, PORTS, tools):
        assert not program.environment.get("SPARK_CONF_DIR", "").startswith(str(layout.data_dir))
        if "-cp" in program.command:
            assert str(layout.data_dir) not in program.command[program.command.index("-cp") + 1]
