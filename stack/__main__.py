"""The command line: ``python -m stack doctor|build|up|status|endpoints|logs|scale|restart|reset|rotate|history|down``."""

import sys

from stack.cli.arguments import parse
from stack.cli.run import run

if __name__ == "__main__":
    sys.exit(run(parse()))
