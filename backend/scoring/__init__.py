"""Features and detectors, one implementation for training, serving and Spark. Imports the wire contract and numpy only.

A shard is a set of devices whose state lies in arrays. Readings come in batches, in the order of arrival; however a history
is cut into batches, every reading ends with the same verdict. A verdict may be revised by the readings that follow within
seconds.

ScoringError            base
├── ProfileError        a profile that cannot be learnt or read
└── StateError          a stored state of another version, or damaged
"""
