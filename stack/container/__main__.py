"""`python3 -m stack.container ROLE`: see `stack.container`."""

import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from stack.container import archive, gateway, kafka, mongo, spark
from stack.container.environment import JAVA, Environment, SettingError

ROLES: Final[dict[str, Callable[[Environment], tuple[str, ...]]]] = {
    "zookeeper": kafka.zookeeper,
    "broker": kafka.broker,
    "connect": kafka.connect,
    "spark-master": spark.master,
    "spark-worker": spark.worker,
    "spark-job": spark.aggregate,
    "spark-predict": spark.standby,
    "spark-predict-job": spark.predict,
    "gateway": gateway.gateway,
    "pages": gateway.pages,
    "mongodb": mongo.mongo,
}

EXIT_BAD_SETTINGS: Final = 2


def main(arguments: list[str]) -> int:
    """The command. Returns the exit status, unless the program has taken this process's place."""
    role = arguments[0] if len(arguments) == 1 else ""
    if role not in ROLES:
        sys.stderr.write(f"usage: python3 -m stack.container {'|'.join(ROLES)}\n")
        return EXIT_BAD_SETTINGS
    try:
        command = ROLES[role](Environment())
    except SettingError as error:
        sys.stderr.write(f"{role} cannot start with these settings. {error}\n")
        return EXIT_BAD_SETTINGS
    except OSError as error:
        sys.stderr.write(f"{role} cannot be prepared. {error}\n")
        return 1
    sys.stdout.flush()
    return become(archive.applied(role, command) if command[0] == str(JAVA) else command)


def become(command: tuple[str, ...]) -> NoReturn:
    """The program takes this process's place, and its signals."""
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
