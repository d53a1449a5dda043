"""Whether the system of a data directory should run: tells an unexpected end from `down`."""

from stack.local.layout import Layout


def remember_up(layout: Layout) -> None:
    """Note that it was brought up."""
    layout.up_file.touch(mode=0o600)


def remember_down(layout: Layout) -> None:
    """Note that it was taken down. Removing a file also works on a full disk."""
    layout.up_file.unlink(missing_ok=True)


def should_run(layout: Layout) -> bool:
    """Return whether it was brought up and not taken down since."""
    return layout.up_file.exists()
