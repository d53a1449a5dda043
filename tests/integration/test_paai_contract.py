"""The contract suite on the running system."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.contract.paai_suite import PaaiContract
from tests.integration.conftest import LiveSystem


@pytest.mark.integration
class TestPaaiLive(PaaiContract):
    @pytest_asyncio.fixture
    async def paai_client(self, live_system: LiveSystem) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=live_system.endpoints.paai, timeout=30.0) as client:
            yield client
