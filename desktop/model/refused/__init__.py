"""What the system refused: dead letters of the topic, and requests that paai rejected."""
