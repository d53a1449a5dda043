"""Commands that people are told to type lead to the deployment that they are about."""

from dataclasses import replace

import pytest

from stack.errors import SecretsError
from stack.swarm import hints, judge, secrets
from stack.swarm.secrets import Credentials
from stack.swarm.site import Site
from stack.swarm.state import Service
from tests.helpers.fake_engine import FakeEngine, task


def test_the_offset_and_the_overlays_are_named() -> None:
    assert hints.command("paai", "up") == "python -m stack up"
    assert hints.command("paai-4000", "logs paai", overlays=("cluster",)) == (
        "python -m stack logs paai --port-offset 4000 --overlay cluster"
    )


def test_a_site_names_its_own(site: Site) -> None:
    assert replace(site, overlays=("consoles",)).command("up") == "python -m stack up --port-offset 4000 --overlay consoles"


def test_a_damaged_copy_of_the_credentials_names_the_stack(deployed: Site, engine: FakeEngine) -> None:
    for key in deployed.keys(engine.info()):
        (deployed.folder / f"credentials-{key}.json").write_text("{")
    with pytest.raises(SecretsError, match=r"damaged.*rotate all --port-offset 4000"):
        deployed.credentials()


def test_a_missing_image_names_the_stack(site: Site) -> None:
    lost = task(Service("s1", "paai", 1, "paai-services:latest"), "rejected", error="No such image: paai-services:latest")
    assert "`python -m stack build --port-offset 4000`" in judge.remedy(lost, site.command)


def test_what_secrets_lack_names_the_stack(deployed: Site, engine: FakeEngine) -> None:
    with pytest.raises(SecretsError, match="rotate all --port-offset 4000"):
        secrets.provision(engine, deployed.stack, Credentials())
