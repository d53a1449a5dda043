"""The reference for ingest: the same reading on a bare FastAPI + pydantic route that answers and does nothing else."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field


class Thermostat(BaseModel):
    tag: Literal["Thermostat"]
    device_id: str
    timestamp: datetime
    temperature: float


class Barometer(BaseModel):
    tag: Literal["Barometer"]
    device_id: str
    timestamp: datetime
    pressure: float


class Hygrometer(BaseModel):
    tag: Literal["Hygrometer"]
    device_id: str
    timestamp: datetime
    humidity: float


class HeartRateMeter(BaseModel):
    tag: Literal["HeartRateMeter"]
    device_id: str
    timestamp: datetime
    heart_rate: float


Reading = Annotated[Thermostat | Barometer | Hygrometer | HeartRateMeter, Field(discriminator="tag")]

app = FastAPI()


@app.post("/api/v1/device")
async def device(reading: Reading) -> Response:
    """Parse, validate, answer 200 with an empty body."""
    return Response()
