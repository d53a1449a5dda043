"""Run by `test_spark_login`: writes a stream to MongoDB as the job does, then prints all that Spark's pages tell of it."""

import json
import sys
import time
import urllib.request
from pathlib import Path

from pyspark.sql import functions as F  # noqa: N812

from spark.query import build_session, write
from spark.settings import JobSettings


def tell(what: object) -> None:
    sys.stdout.write(f"{what}\n")


def main(event_log: Path) -> None:
    settings = JobSettings()  # type: ignore[call-arg]  # from the environment
    session = build_session(
        settings,
        name="probe",
        more={
            "spark.ui.enabled": "true",
            "spark.ui.port": "0",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": event_log.as_uri(),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        },
    )
    session.sparkContext.setLogLevel("INFO")
    rows = session.readStream.format("rate").load()
    windows = rows.select(
        F.col("value").cast("string").alias("_id"),
        F.struct(F.col("timestamp").alias("start"), F.col("timestamp").alias("end")).alias("window"),
        F.lit("d").alias("device_id"),
        F.lit("temperature").alias("sensor"),
        *(F.lit(1.0).alias(name) for name in ("avg", "min", "max")),
        F.col("value").cast("int").alias("count"),
    )
    query = write(windows, settings, whole_from_ms=0)
    deadline = time.monotonic() + 60
    while not any(p["numInputRows"] for p in query.recentProgress) and time.monotonic() < deadline:
        query.awaitTermination(1)
    tell(query.lastProgress)
    base, app = session.sparkContext.uiWebUrl, session.sparkContext.applicationId
    api = f"{base}/api/v1/applications/{app}"
    pages = [f"{base}/{page}/" for page in ("jobs", "stages", "environment", "executors", "SQL", "StreamingQuery")]
    pages += [f"{base}/SQL/execution/?id={i}" for i in range(3)]
    pages += [f"{base}/StreamingQuery/statistics/?id={query.runId}"]
    pages += [f"{api}/environment", f"{api}/sql?details=true&planDescription=true", f"{api}/jobs"]
    for page in pages:
        with urllib.request.urlopen(page, timeout=120) as answer:
            tell(f"--- {page} {answer.status}\n{answer.read().decode()}")
    tell(json.dumps(dict(session.sparkContext.getConf().getAll())))
    query.stop()
    session.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
