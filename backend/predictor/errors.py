"""What can go wrong in the predictor; the tree is drawn in the package's docstring."""


class PredictorError(Exception):
    """Base; the message says what, why, and what to do."""


class TrainingError(PredictorError):
    """No model can be made of this history."""


class CancelledError(PredictorError):
    """The training was cancelled."""


class ModelError(PredictorError):
    """A stored model must not be used: damaged, tampered with, or of another version."""


class SeriesError(PredictorError):
    """A file holds no series."""
