"""The last overlay of each deployment, written by the target: exact images, replicas as scaled, logins while rotating.

Images are named by what they contain. So a rebuilt image is an update, a rollback brings back exactly the former one, and the
engine never looks for a registry before it starts a container, which costs seconds where there is none.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from stack.swarm.compose import Composition
from stack.swarm.engine import Engine
from stack.swarm.state import StackState


def overlay(
    engine: Engine,
    composition: Composition,
    state: StackState,
    *,
    scalable: Mapping[str, int],
    more_secrets: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The overlay as a document.

    Args:
        state: What runs now: its numbers of replicas are kept.
        scalable: Services whose replicas may have been scaled, with the most that there may be.
        more_secrets: Service → file name below /run/secrets → Docker secret.
    """
    services: dict[str, dict[str, Any]] = {}
    for name, reference in composition.images.items():
        if (exact := exact_image(engine, reference)) is not None:
            services.setdefault(name, {})["image"] = exact
    for name, most in scalable.items():
        running = state.find(name)
        # A service that was scaled to nothing by hand is brought back.
        if running is not None and running.replicas and running.replicas != composition.replicas.get(name):
            services.setdefault(name, {})["deploy"] = {"replicas": min(running.replicas, most)}
    declared: dict[str, dict[str, Any]] = {}
    for name, files in (more_secrets or {}).items():
        for target, source in files.items():
            declared[source] = {"external": True, "name": source}
            grant = {"source": source, "target": target, "mode": 0o444}
            services.setdefault(name, {}).setdefault("secrets", []).append(grant)
    document: dict[str, Any] = {"version": "3.8", "services": services}
    return document | ({"secrets": declared} if declared else {})


def exact_image(engine: Engine, reference: str) -> str | None:
    """The image's name by content: its digest where it came from a registry (other nodes can pull that), else its identity."""
    found = engine.image(reference)
    if found is None:
        return None
    repository = reference.split("@", 1)[0].rsplit(":", 1)[0]
    return next((digest for digest in found.digests if digest.startswith(f"{repository}@")), found.id)


@contextmanager
def written(document: Mapping[str, Any]) -> Iterator[Path]:
    """The document in a file, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="paai-stack-") as folder:
        path = Path(folder) / "generated.yml"
        path.write_text(yaml.safe_dump(dict(document), sort_keys=False), "utf-8")
        yield path
