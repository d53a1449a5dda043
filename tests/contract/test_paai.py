"""The contract suite on the application with fakes for Kafka and MongoDB."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from tests.contract.paai_suite import PaaiContract
from tests.helpers.paai import running_paai


class TestPaaiOnFakes(PaaiContract):
    @pytest_asyncio.fixture
    async def paai_client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with running_paai() as paai:
            yield paai.client
