"""The log of a streaming job."""

import logging
import sys
import time


def set_up_logging(service: str, level: str) -> None:
    """Plain lines on stdout, as all services write them."""
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ %(levelname)s {service}: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(level)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # when the JVM goes first, it has much to say and nothing to tell
    logging.getLogger("pymongo").setLevel(logging.WARNING)
