"""The history page: devices × time frame → average, maximum, minimum and count, asked of paai."""
