"""The cases, as data: a module for each theme, with a list `CASES`, one line a case."""
