"""The JVM artifacts: declared in ivy.xml, locked in jars.lock, resolved into the user's cache by the Ivy inside pyspark."""

from stack.jars.resolver import JarSet, is_resolved, jar_dirs, resolve

__all__ = ["JarSet", "is_resolved", "jar_dirs", "resolve"]
