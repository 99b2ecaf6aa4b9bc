"""The lab: an emulated ESP32 board, its network, and the tools that test what runs on it."""

__version__ = "0.1.0"


class LabError(Exception):
    """Something a person can do something about: the text says what happened and what to do."""
