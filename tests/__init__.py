"""Tests mirror the tree: `tests/core/test_money.py` speaks of `core/money.py`."""
