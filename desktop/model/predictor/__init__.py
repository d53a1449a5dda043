"""What the predictor tells of its models and trainings, and what is said of it. No Qt, no I/O."""
