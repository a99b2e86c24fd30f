"""Pretend neighbours of the desk: a Telegram and a supplier, each a process of its own.

Nothing here imports the desk and nothing in the desk imports this, so a mistake in one
cannot be repeated in the other and cancel out.
"""
