"""Logging of a service: plain lines on stdout, ``2026-11-24T05:30:00.123Z INFO paai: text``."""

import logging
import sys
import time


class _Formatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)s.%(msecs)03dZ %(levelname)s {service}: %(message)s", "%Y-%m-%dT%H:%M:%S")


def set_up_logging(level: str, *, service: str) -> None:
    """Send every log record of this process to stdout. Called once, by the entry point.

    Args:
        level: Threshold.
        service: Name that stands in each line.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its lines about each start and stop repeat what the server runner says.
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, root.level))
