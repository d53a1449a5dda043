"""Every image: what it is built on and what goes into it."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack import mongo
from stack.images.context import PROJECT_ROOT, Context, Entry, folder, sources
from stack.images.node import node_dir
from stack.images.wheels import wheel_dir
from stack.jars import jar_dirs, own_jar
from stack.jars.ivy import pyspark_jars
from stack.jars.lockfile import LOCK_FILE

HERE: Final = Path(__file__).parent
REQUIREMENTS: Final = PROJECT_ROOT / "requirements" / "images"

#: What an entry point of `stack.container` imports.
_ENTRY_POINTS: Final = ("backend/contract", "stack/container", "stack/jvm")
#: What the job that scores imports of the services.
_SCORING: Final = (
    "backend/scoring",
    "backend/predictor/errors.py",
    "backend/predictor/models",
    "backend/predictor/promotion.py",
    "backend/predictor/registry.py",
)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """One image.

    Attributes:
        name: Folder here; the image is called ``paai-NAME``.
        title: For people.
        parent: The image of ours that it is built on; None for the base.
        context: What goes into it; called once wheels and jars are there.
        requirements: It holds the wheels of ``requirements/images/NAME.txt``; empty = none.
        jars: Whether it holds JVM artifacts.
        node: Whether it holds the Node packages of its folder's lock file.
        debian: Whether its build installs packages of Debian; the others' builds have no network at all.
    """

    name: str
    title: str
    parent: str | None
    context: Callable[[], Context]
    requirements: str = ""
    jars: bool = False
    node: bool = False
    debian: bool = False

    @property
    def image(self) -> str:
        """``paai-NAME``, without a tag."""
        return f"paai-{self.name}"


def _context(name: str, *entries: Entry, stamps: tuple[str, ...] = (), bulk: tuple[Entry, ...] = ()) -> Context:
    own = folder("", HERE / name)
    every = [*(Entry(entry.name.removeprefix("/"), entry.source) for entry in own), *entries]
    return Context(tuple(sorted(every, key=lambda entry: entry.name)), stamps, bulk)


def _python(name: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The requirements, whose hashes tell the contents of the wheels, and these."""
    listed = REQUIREMENTS / f"{name}.txt"
    return (Entry("requirements.txt", listed),), tuple(folder("wheels", wheel_dir(listed)))


def _own_jar() -> tuple[Entry, ...]:
    """Our own Java classes, once they are compiled; their sources tell the content."""
    path = own_jar.path()
    return (Entry(path.name, path),) if path.exists() else ()


def _services() -> Context:
    requirements, wheels = _python("services")
    return _context("services", *requirements, *sources(("backend", "stack/container/probe.py")), bulk=wheels)


def _kafka() -> Context:
    return _context(
        "kafka",
        *sources(_ENTRY_POINTS),
        stamps=(LOCK_FILE.read_text("utf-8"), own_jar.stamp()),
        bulk=(*_own_jar(), *folder("jars", jar_dirs().kafka)),
    )


def _spark_libs() -> Context:
    requirements, wheels = _python("spark")
    # The very files that the local target runs; nothing is fetched twice.
    pyspark = tuple(folder("lib/pyspark", pyspark_jars().parent))
    return _context(
        "spark-libs",
        *requirements,
        stamps=(LOCK_FILE.read_text("utf-8"), importlib.metadata.version("pyspark")),
        bulk=(*wheels, *pyspark, *folder("jars", jar_dirs().spark)),
    )


def _spark() -> Context:
    return _context(
        "spark",
        *sources((*_ENTRY_POINTS, *_SCORING, "spark")),
        stamps=(LOCK_FILE.read_text("utf-8"), own_jar.stamp()),
        bulk=_own_jar(),
    )


def _mongo_lite() -> Context:
    requirements, wheels = _python("mongo-lite")
    program = mongo.rs_root() / "bin" / "secantusd-rs"
    built = mongo.is_built()
    return _context(
        "mongo-lite",
        *requirements,
        *([] if built else [Entry("bin/none", b"")]),
        *sources(_ENTRY_POINTS),
        stamps=(mongo.RS_VERSION if built else "",),
        bulk=(*wheels, *([Entry("bin/secantusd-rs", program)] if built else [])),
    )


def _mongo_express_lite() -> Context:
    packages = node_dir(HERE / "mongo-express-lite") / "node_modules"
    return _context("mongo-express-lite", *sources(("stack/container/probe.py",)), bulk=tuple(folder("node_modules", packages)))


#: In the order in which they are built.
IMAGES: Final[tuple[ImageSpec, ...]] = (
    ImageSpec("base", "Base", None, lambda: _context("base"), debian=True),
    ImageSpec("services", "paai, generator, operator, predictor", "base", _services, requirements="services"),
    ImageSpec("gateway", "Gateway", "base", lambda: _context("gateway", *sources(_ENTRY_POINTS)), debian=True),
    ImageSpec("jre", "Java", "base", lambda: _context("jre"), debian=True),
    ImageSpec("kafka", "ZooKeeper, Kafka, Connect", "jre", _kafka, jars=True),
    ImageSpec("spark-libs", "Spark", "jre", _spark_libs, requirements="spark", jars=True),
    ImageSpec("spark", "Spark jobs", "spark-libs", _spark, jars=True),
    ImageSpec("mongo-lite", "MongoDB's stand-in", "base", _mongo_lite, requirements="mongo-lite"),
    ImageSpec("mongo-express-lite", "mongo-express", "base", _mongo_express_lite, node=True, debian=True),
)

BY_NAME: Final = {spec.name: spec for spec in IMAGES}

#: Images that stack.yml names; of the others, mongo-express-lite is for consoles.yml, and these are built on the rest.
PUBLISHED: Final = ("services", "kafka", "spark", "gateway", "mongo-lite")
