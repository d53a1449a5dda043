"""The fleet panel: how many devices of each type, what they really do, and which are in focus."""
