"""Connect's answers as the operator reads them."""

import httpx
import pytest

from backend.operator.connect_client import ConnectUnavailableError, HttpConnect, reason

TRACE = """org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.
\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:636)
Caused by: com.mongodb.MongoTimeoutException: Timed out after 20000 ms while waiting for a server
\tat com.mongodb.internal.connection.BaseCluster.selectServer(BaseCluster.java:180)
\t... 10 more
"""


def client(answer: httpx.Response | Exception) -> HttpConnect:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return HttpConnect(url="http://connect", timeout_s=1, transport=httpx.MockTransport(handle))


def test_status_names_the_cause_of_a_failure() -> None:
    body = {
        "connector": {"state": "RUNNING"},
        "tasks": [{"id": 0, "state": "RUNNING"}, {"id": 1, "state": "FAILED", "trace": TRACE}],
    }
    status = client(httpx.Response(200, json=body)).status("x")
    assert status is not None
    assert status.failed
    assert not status.running
    assert status.trace == "Timed out after 20000 ms while waiting for a server"


def test_no_connector_is_none() -> None:
    missing = httpx.Response(404, json={"message": "Connector x not found"})
    assert client(missing).config("x") is None
    assert client(missing).status("x") is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(409, json={"message": "rebalance"}), "it is rebalancing"),
        (httpx.Response(400, json={"message": "Invalid value\nsecond line"}), "HTTP 400: Invalid value"),
        (httpx.Response(200, content=b"<html>"), "not JSON"),
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout("slow"), "no answer in time"),
    ],
)
def test_every_failure_is_one_error_with_a_reason(answer: httpx.Response | Exception, said: str) -> None:
    with pytest.raises(ConnectUnavailableError, match=said):
        client(answer).config("x")


def test_reason_of_an_empty_trace() -> None:
    assert reason("") == ""
