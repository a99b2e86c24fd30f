"""Measurements: `python -m bench.<what>` prints figures and the machine-independent facts."""
