"""Qt models and controllers over desktop.model: what views show and call. No widgets."""
