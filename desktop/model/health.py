"""Is the stream all right, and if not, where and why: one pure function from what was observed to one sentence."""
