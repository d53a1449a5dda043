"""Commands that people are told to type lead to the deployment that they are about."""

from dataclasses import replace

import pytest

from stack.errors import SecretsError
from stack.swarm import hints, secrets
from stack.swarm.secrets import Credentials
from stack.swarm.site import Site
from tests.helpers.fake_engine import FakeEngine


def test_the_offset_and_the_overlays_are_named() -> None:
    assert hints.command("paai", "up") == "python -m stack up"
    assert hints.command("paai-4000", "logs", "paai", overlays=("cluster",)) == (
        "python -m stack logs paai --port-offset 4000 --overlay cluster"
    )


def test_a_site_names_its_own(site: Site) -> None:
    assert replace(site, overlays=("consoles",)).command("up") == "python -m stack up --port-offset 4000 --overlay consoles"


def test_what_secrets_lack_names_the_stack(deployed: Site, engine: FakeEngine) -> None:
    with pytest.raises(SecretsError, match="rotate all --port-offset 4000"):
        secrets.provision(engine, deployed.stack, Credentials())
