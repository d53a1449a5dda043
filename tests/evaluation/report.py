"""The figures of an evaluation as a table for people and as JSON."""

from typing import Any

import numpy as np

from tests.evaluation.baselines import NAMES
from tests.evaluation.measure import IN_VALUES, KINDS, OURS, Totals


def figures(totals: Totals) -> dict[str, Any]:
    """All of them, ready for JSON."""
    kinds = {}
    for kind in KINDS:
        tally = totals.tallies[OURS, kind]
        kinds[kind] = {
            "events": tally.hits + tally.misses,
            "precision": round(tally.precision, 4),
            "recall": round(tally.recall, 4),
            "f1": round(tally.f1, 4),
            "delay_s": tally.delay_s,
            "vus_pr": _mean(totals, OURS, kind),
        }
    others = {
        name: {
            "f1": {kind: round(totals.tallies[name, kind].f1, 4) for kind in IN_VALUES},
            "vus_pr": {kind: _mean(totals, name, kind) for kind in ("spike", "drift", "stuck")},
            "false_alarms_per_device_day": round(totals.false_alarms[name] / totals.device_days, 2),
        }
        for name in NAMES
        if (name, "spike") in totals.tallies
    }
    return {
        "device_days": round(totals.device_days, 2),
        "readings": totals.readings,
        "kinds": kinds,
        "false_alarms_per_device_day": round(totals.false_alarms[OURS] / totals.device_days, 3),
        "coverage": round(totals.inside / max(totals.judged, 1), 4),
        "readings_per_s": round(totals.readings / max(totals.seconds, 1e-9)),
        "others": others,
    }


def _mean(totals: Totals, name: str, kind: str) -> float | None:
    volumes = totals.vus.get((name, kind))
    return round(float(np.mean(volumes)), 4) if volumes else None


def markdown(result: dict[str, Any]) -> str:
    """Two tables: per kind, and beside the simple detectors."""
    head = (
        f"{result['device_days']:g} device-days, {result['readings']:,} readings;"
        f" {result['false_alarms_per_device_day']:.2f} false alarms per device-day;"
        f" band coverage {100 * result['coverage']:.1f} % of 90 %;"
        f" {result['readings_per_s']:,} readings/s of CPU."
    )
    lines = [
        head,
        "",
        "| fault | events | precision | recall | F1 | median delay | VUS-PR |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, row in result["kinds"].items():
        delay = "" if row["delay_s"] is None else f"{row['delay_s']:.0f} s"
        volume = "" if row["vus_pr"] is None else f"{row['vus_pr']:.3f}"
        rates = " | ".join(f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {kind} | {row['events']:,} | {rates} | {delay} | {volume} |")
    if result["others"]:
        lines += [
            "",
            "| detector | F1 spike | drift | stuck | dropout | VUS-PR spike | drift | stuck | false alarms per device-day |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        ours = {
            "f1": {kind: result["kinds"][kind]["f1"] for kind in IN_VALUES},
            "vus_pr": {kind: result["kinds"][kind]["vus_pr"] for kind in ("spike", "drift", "stuck")},
            "false_alarms_per_device_day": result["false_alarms_per_device_day"],
        }
        for name, row in {OURS: ours, **result["others"]}.items():
            cells = [f"{row['f1'][kind]:.3f}" for kind in IN_VALUES]
            cells += ["" if v is None else f"{v:.3f}" for v in row["vus_pr"].values()]
            lines.append(f"| {name} | {' | '.join(cells)} | {row['false_alarms_per_device_day']:.2f} |")
    return "\n".join(lines)
