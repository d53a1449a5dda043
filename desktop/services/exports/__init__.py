"""Exports to files. A new one is a job (what) and an `Exporter` (how); `csv_file` and `stored` hold what they share.

Every export runs on a worker thread, reports progress, can be cancelled at any row, needs constant memory, and leaves
either the whole file or none.
"""
