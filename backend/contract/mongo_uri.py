"""Addresses of MongoDB with options for a driver in them."""

from urllib.parse import parse_qsl, urlencode


def with_options(uri: str, **options: str) -> str:
    """`uri` with query options added where it does not set them itself."""
    # Not by urlsplit: where the login goes, placeholders with slashes may stand.
    place, _, text = uri.partition("?")
    if "/" not in place.partition("://")[2]:
        place += "/"
    query = dict(parse_qsl(text, keep_blank_values=True))
    given = {key.lower() for key in query}
    query |= {key: value for key, value in options.items() if key.lower() not in given}
    return f"{place}?{urlencode(query)}"
