"""How well faults are found: labelled history of the generator's own signals and faults, streamed through the scoring.

`python -m tests.evaluation` (or `make evaluate`) trains on its own seeds, draws other seeds and magnitudes, and measures the
detectors beside simple ones on the same stream.
"""
