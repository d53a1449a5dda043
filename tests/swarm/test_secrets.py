"""No secret is seen anywhere: configuration, environment, command lines, logs, images, Connect's REST, Spark's pages."""

import json

import httpx

from tests.swarm.system import LiveSwarm

#: Pages of Spark that show settings; the job's own page is on its container.
_DRIVER_PAGES = ("environment/", "api/v1/applications", "executors/", "streaming/", "StreamingQuery/")


def assert_clean(swarm: LiveSwarm, text: str, where: str) -> None:
    seen = [name for name, value in swarm.secret_values().items() if value in text]
    assert not seen, f"{seen} can be read in {where}"


def test_the_search_finds_what_is_there(swarm: LiveSwarm) -> None:
    """Each container that is given a secret has it; so the search below knows the right values."""
    code = "import pathlib; [print(p.read_text()) for p in pathlib.Path('/run/secrets').iterdir()]"
    text = swarm.in_container("kafka-operator", code)
    values = swarm.secret_values()
    for name in ("mongo_root", "mongo_sink", "mongo_spark", "mongo_paai", "mongo_predictor", "mongo_desktop", "kafka_client"):
        assert values[name] in text, name
    text = swarm.in_container("predictor", code)
    for name in ("token", "admin_token", "model_key", "mongo_predictor"):
        assert values[name] in text, name


def test_configuration(swarm: LiveSwarm) -> None:
    stack = swarm.site.stack
    services = swarm.docker("stack", "services", "--quiet", stack).split()
    assert_clean(swarm, swarm.docker("service", "inspect", *services), "docker service inspect")
    secrets = [secret.name for secret in swarm.site.engine.secrets(stack)]
    assert_clean(swarm, swarm.docker("secret", "inspect", *secrets), "docker secret inspect")
    assert_clean(swarm, swarm.docker("volume", "inspect", *swarm.site.engine.volumes(stack)), "docker volume inspect")


def test_containers_environment_and_command_lines(swarm: LiveSwarm) -> None:
    for service in swarm.rows():
        for container in swarm.containers(service):
            assert_clean(swarm, swarm.docker("inspect", container), f"docker inspect of {service}")
            assert_clean(swarm, swarm.docker("top", container, "-eo", "pid,args"), f"ps of {service}")
            code = "import glob; [print(open(p, 'rb').read().decode()) for p in glob.glob('/proc/[0-9]*/environ')]"
            seen = swarm.docker("exec", "--interactive", container, "python3", "-", stdin=code, check=False)
            assert_clean(swarm, seen, f"the environment of {service}")


def test_images(swarm: LiveSwarm) -> None:
    for image in set(swarm.site.composition().images.values()):
        assert_clean(swarm, swarm.docker("image", "inspect", image), image)
        assert_clean(swarm, swarm.docker("history", "--no-trunc", image), f"the history of {image}")


def test_logs(swarm: LiveSwarm) -> None:
    for service in swarm.rows():
        text = swarm.docker("service", "logs", "--raw", swarm.site.full(service), timeout_s=300)
        assert_clean(swarm, text, f"the log of {service}")


def test_connects_rest_configuration(swarm: LiveSwarm) -> None:
    endpoints = swarm.endpoints
    auth = (endpoints.web_user or "", endpoints.web_password or "")
    with httpx.Client(base_url=endpoints.connect, auth=auth, timeout=60, trust_env=False) as client:
        paths = [f"/connectors/{name}{page}" for name in client.get("/connectors").json() for page in ("", "/config", "/tasks")]
        seen = [client.get(path).text for path in paths]
    assert any("${file:/run/secrets/mongo_sink:password}" in text for text in seen)
    assert_clean(swarm, "".join(seen), "Connect's REST configuration")


def test_sparks_pages(swarm: LiveSwarm) -> None:
    endpoints, ports = swarm.endpoints, swarm.site.ports
    auth = (endpoints.web_user or "", endpoints.web_password or "")
    for port, paths in ((ports.spark_master_ui, ("/", "/json/")), (ports.spark_worker_ui, ("/", "/json/"))):
        for path in paths:
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", auth=auth, timeout=60, trust_env=False)
            assert answer.status_code == 200
            assert_clean(swarm, answer.text, f"Spark's page on {port}{path}")
    code = f"""
import json, urllib.request
for path in {json.dumps(_DRIVER_PAGES)}:
    try:
        print(urllib.request.urlopen("http://127.0.0.1:4040/" + path, timeout=30).read().decode())
    except OSError as error:
        print(error)
"""
    for job in ("spark-job", "spark-predict"):
        assert_clean(swarm, swarm.in_container(job, code), f"the pages of {job}")
