"""The command line: ``python -m stack doctor|build|up|status|endpoints|logs|scale|restart|reset|rotate|history|down``."""

import sys

try:
    from stack.cli.arguments import parse
    from stack.cli.run import run
except ModuleNotFoundError as error:
    if (error.name or "stack").partition(".")[0] in ("stack", "backend"):
        raise
    sys.exit(f"{sys.executable} lacks the package {error.name}. Run `make setup`, then `.venv/bin/python -m stack …`.")

if __name__ == "__main__":
    sys.exit(run(parse()))
