"""The predictor's addresses."""
