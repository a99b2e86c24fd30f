"""Tests mirror the tree: `tests/core/kernel/test_money.py` speaks of `core/kernel/money.py`."""
