"""What is known right now: fleet, readings, windows, health. No Qt, no I/O."""
