"""A small merchant's server: signs calls to the Payment API, checks the notifications it gets.

Run as `python -m sandbox.shop`; docs/sandbox.md describes it.
"""
