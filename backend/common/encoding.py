"""Content-Encoding of request bodies: gzip, x-gzip, deflate and zstd, unpacked within a limit of size and work."""

import sys
import zlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from backend.common.errors import BodyTooLargeError, InvalidInputError, UnsupportedEncodingError
from backend.contract.figures import plural

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

#: What `Accept-Encoding` of a 415 names.
ACCEPTED: Final = "gzip, deflate, zstd"
#: gzip members or zstd frames of one body. Looking for the next one copies what is left.
MAX_MEMBERS: Final = 256
#: Window of zstd, 2^23 = 8 MiB: the largest that RFC 9659 allows for Content-Encoding.
_WINDOW_LOG: Final = 23
_GZIP, _ZLIB, _RAW = 31, 15, -15

#: Unpacks one member: packed bytes and the most that may come out → unpacked bytes, whether it is complete, what follows it.
_Unpack = Callable[[bytes, int], tuple[bytes, bool, bytes]]


def coding_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The content coding of a request; empty for none.

    Args:
        headers: As in an ASGI scope, with lower-case names.

    Raises:
        UnsupportedEncodingError: there are several codings, or an unknown one.
    """
    codings = []
    for name, value in headers:
        if name == b"content-encoding":
            codings += [part.strip().lower() for part in value.decode("latin-1").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings:
        return ""
    if len(codings) > 1 or codings[0] not in _MEMBERS:
        raise UnsupportedEncodingError(", ".join(codings), accepted=ACCEPTED)
    return codings[0]


def unpack(body: bytes, coding: str, *, limit: int) -> bytes:
    """The unpacked body. Stops as soon as it is over the limit.

    Args:
        body: Packed.
        coding: As from `coding_of`, not empty.
        limit: Most unpacked bytes.

    Raises:
        BodyTooLargeError: it unpacks to more than `limit`.
        InvalidInputError: it is not valid data of that coding.
    """
    if not body:
        return body
    errors: list[Exception] = []
    for unpack_one in _MEMBERS[coding]:
        try:
            return _unpack_members(body, unpack_one, limit)
        except (zlib.error, ZstdError, ValueError) as error:
            errors.append(error)
    # A ValueError is of this module: the format was recognised.
    why = next((error for error in errors if isinstance(error, ValueError)), errors[0])
    raise _not_valid(coding, str(why))


def _unpack_members(body: bytes, unpack_one: _Unpack, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for member in range(MAX_MEMBERS):
        packed = body
        try:
            part, complete, body = unpack_one(packed, limit + 1 - size)
        except (zlib.error, ZstdError):
            if not member:
                raise
            raise _followed_by(packed) from None
        if member and not complete and not part:
            raise _followed_by(packed)
        size += len(part)
        if size > limit:
            raise BodyTooLargeError(limit)
        parts.append(part)
        if not complete:
            raise ValueError("it ends too early")
        if not body:
            return b"".join(parts)
    raise ValueError(f"it has more than {MAX_MEMBERS} members")


def _followed_by(rest: bytes) -> ValueError:
    verb = "follows" if len(rest) == 1 else "follow"
    return ValueError(f"{plural(len(rest), 'byte')} that cannot be unpacked {verb} its end")


def _unpack_zlib(wbits: int) -> _Unpack:
    def unpack_one(body: bytes, most: int) -> tuple[bytes, bool, bytes]:
        unpacker = zlib.decompressobj(wbits)
        part = unpacker.decompress(body, most)
        if wbits != _GZIP and unpacker.eof and unpacker.unused_data:
            raise _followed_by(unpacker.unused_data)
        return part, unpacker.eof, unpacker.unused_data

    return unpack_one


def _unpack_zstd(body: bytes, most: int) -> tuple[bytes, bool, bytes]:
    unpacker = ZstdDecompressor(options={DecompressionParameter.window_log_max: _WINDOW_LOG})
    part = unpacker.decompress(body, most)
    return part, unpacker.eof, unpacker.unused_data if unpacker.eof else b""


#: Ways to read each coding, tried in this order. `deflate` is zlib's format; many clients send it raw.
_MEMBERS: Final[Mapping[str, tuple[_Unpack, ...]]] = MappingProxyType(
    {
        "gzip": (_unpack_zlib(_GZIP),),
        "x-gzip": (_unpack_zlib(_GZIP),),
        "deflate": (_unpack_zlib(_ZLIB), _unpack_zlib(_RAW)),
        "zstd": (_unpack_zstd,),
    }
)


def _not_valid(coding: str, why: str) -> InvalidInputError:
    error: dict[str, Any] = {
        "type": "content_encoding",
        "loc": ["body"],
        "msg": f"Content-Encoding is {coding}, but the body is not valid {coding} data: {why[:120]}",
    }
    return InvalidInputError([error])
