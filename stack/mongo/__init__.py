"""The MongoDB server of the local target: which one, how it is started, and the build of the fast embedded one."""

from stack.mongo.build import build_rs, is_built, may_build
from stack.mongo.choose import RS_VERSION, Kind, MongoChoice, choose, command, environment, rs_root, store_dir

__all__ = [
    "RS_VERSION",
    "Kind",
    "MongoChoice",
    "build_rs",
    "choose",
    "command",
    "environment",
    "is_built",
    "may_build",
    "rs_root",
    "store_dir",
]
