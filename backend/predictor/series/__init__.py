"""Any series of times and values, unseen before, through the same detector: `python -m backend.predictor.score`."""
