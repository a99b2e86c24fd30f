"""A pretend licensed payment institution: gateway, payer page, callbacks and a control listener.

Run as `python -m sandbox.supplier`; docs/sandbox.md describes its dialects and its control.
"""
