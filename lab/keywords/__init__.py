"""Robot Framework libraries: one per concern, one board behind all of them (`bench.py`)."""
