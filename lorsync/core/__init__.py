"""Decide what should be on the calendar, without touching the world.

Nothing in here reads a clock, a file or a socket, or logs: the day, the facts and the answers of
the server are handed in, and values come out. import-linter holds it to that.
"""
