"""Child processes that never outlive this one."""

import shutil


def tied(argv: list[str]) -> list[str]:
    """The command line that ends with its parent, even one that was killed, where util-linux is there.

    The kernel watches the thread that starts the child: it must live as long as the child is wanted.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *argv] if setpriv else argv
