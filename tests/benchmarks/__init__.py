"""Benchmarks: each compares ours with a reference measured in the same run, in alternating pairs.

`make bench` runs all and rewrites the table in docs/benchmarks.md. Nothing here asserts a time.
"""
