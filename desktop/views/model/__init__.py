"""The model page: train, compare, promote."""
