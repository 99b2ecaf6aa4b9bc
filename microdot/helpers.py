"""For extensions."""
try:
    from functools import wraps
except ImportError:  # MicroPython
    def wraps(wrapped):
        """Does nothing: functions of MicroPython have no metadata to carry over."""
        return lambda wrapper: wrapper
