"""Labelled series of other kinds than the fleet's, made up: `python -m tests.evaluation.series` runs the detector over them."""
