"""Packet cases: what a hostile network does to the board, and what must hold afterwards.

A table a module; `rig` is what they are played on, `expect` what must hold.
"""
