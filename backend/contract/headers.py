"""Headers of Kafka records, also of those whose header names are not UTF-8.

confluent-kafka 2.16 puts a null pointer in place of such a name. The first call of `Message.headers()` then raises a
SystemError; the second returns the list, and whoever takes the name from it ends the process with a segmentation fault.
"""

import gc
from typing import Any


def read_headers(message: Any) -> dict[str, bytes | str | None]:
    """Return the headers of a record, the last value of each name; empty when a header's name is not UTF-8.

    Args:
        message: A `confluent_kafka.Message`.
    """
    try:
        found = message.headers() or ()
    except (SystemError, UnicodeDecodeError):
        return {}
    # `get_referents` skips null pointers; unpacking a pair would read them.
    if any(len(gc.get_referents(pair)) != len(pair) for pair in found):
        return {}
    return dict(found)
