"""A name server that knows no name and says so at once: `python no_names.py ADDRESS`.

Docker asks the machine's name server for every name that it does not know itself, such as that of a service that is not
healthy yet. Without one that answers, each such question takes ten seconds.
"""

import socket
import sys

#: Answer to a question, recursion available, no such name (RFC 1035).
_NO_SUCH_NAME = b"\x81\x83"
_HEADER = 12


def answer(question: bytes) -> bytes:
    """What is sent back; empty where the question is none."""
    end = _HEADER
    while end < len(question) and question[end]:
        end += question[end] + 1
    end += 5  # the final zero, type and class
    if len(question) < end:
        return b""
    return question[:2] + _NO_SUCH_NAME + b"\x00\x01" + bytes(6) + question[_HEADER:end]


def serve(address: str) -> None:
    """Answer until killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        while True:
            question, client = server.recvfrom(4096)
            if reply := answer(question):
                server.sendto(reply, client)


if __name__ == "__main__":
    serve(sys.argv[1])
