"""Numbers with their noun in sentences of services and jobs."""


def plural(count: int, one: str) -> str:
    """Return ``1 record`` or ``70 records``."""
    return f"{count} {one}{'' if count == 1 else 's'}"
