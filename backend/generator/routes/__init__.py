"""The generator's addresses: `original` as the first system had them, `fleet` and `faults` beside it."""
