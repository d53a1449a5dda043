"""The command line of the stack: arguments, and output for people and for programs."""
