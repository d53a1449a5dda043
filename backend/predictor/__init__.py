"""The predictor: trains models on the history, keeps them, serves the promoted one.

PredictorError              base
├── TrainingError           no model can be made of this history; says why
├── ModelError              a stored model that must not be used: damaged, tampered with, of another version
└── SeriesError             a file that holds no series
"""
