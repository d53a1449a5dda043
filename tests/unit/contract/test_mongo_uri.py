"""Options that are added to an address of MongoDB."""

from urllib.parse import parse_qs, urlsplit

from backend.contract.mongo_uri import with_options


def test_options_are_added_and_never_overridden() -> None:
    uri = with_options("mongodb://u:p%40w@h1,h2?RetryWrites=false&authSource=admin", retryWrites="true", w="majority")
    assert uri.startswith("mongodb://u:p%40w@h1,h2/?")
    assert parse_qs(urlsplit(uri).query) == {"RetryWrites": ["false"], "authSource": ["admin"], "w": ["majority"]}
