"""``python -m backend.common.healthcheck URL|FILE``: exit 0 when a service is well, else 1 and the reason on one line.

URL is the ``/healthz`` of a service with HTTP, FILE the state file of one without (operator, Spark jobs). For containers, which
have no curl; takes a twentieth of a second.
"""

import http.client
import sys
from pathlib import Path

from backend.common.state import read_state

TIMEOUT_S = 3.0


def check(target: str) -> str:
    """Empty when `target`, an address or a state file, says that the service is well, else why not."""
    if "://" in target:
        return check_url(target)
    state = read_state(Path(target))
    return "" if state.ok else state.message or "it is not as wanted yet"


def check_url(url: str, *, timeout_s: float = TIMEOUT_S) -> str:
    """Empty when `url` answers 2xx, else why not.

    Args:
        url: ``http://127.0.0.1:8000/healthz``.
        timeout_s: Bound of each step: connecting, and waiting for the answer.
    """
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    if scheme != "http" or not place:
        return f"{url} is no address like http://127.0.0.1:8000/healthz"
    try:
        connection = http.client.HTTPConnection(place, timeout=timeout_s)
        try:
            connection.request("GET", slash + path or "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            text = answer.read(300).decode("utf-8", "replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error}"
    return "" if 200 <= answer.status < 300 else f"{url} answers {answer.status}: {' '.join(text.split())}"


def main(arguments: list[str]) -> int:
    """Entry point; `arguments` without the program's name."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m backend.common.healthcheck URL|FILE\n")
        return 2
    problem = check(arguments[0])
    sys.stdout.write(f"{problem or 'ok'}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
