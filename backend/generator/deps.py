"""What the routes need."""

from typing import Annotated

from fastapi import Depends, Request

from backend.generator.engine import Engine


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineDep = Annotated[Engine, Depends(_engine)]
