"""`python -m sandbox.shop`: one line of configuration on stdin, one ready line on stdout."""

from __future__ import annotations

import sys

from sandbox.process import run_process
from sandbox.shop.app import start

if __name__ == "__main__":
    sys.exit(run_process(start))
