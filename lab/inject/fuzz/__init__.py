"""Fuzzing of the WebSocket server: its frame layer on CPython, and the whole of it on a board."""
