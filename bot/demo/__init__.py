"""The demo: the whole desk in a browser, with no token, no server and no supplier of one's own."""

from __future__ import annotations

from bot.demo.home import DemoRefused, default_home, demo_master_key
from bot.demo.run import run_demo

__all__ = ["DemoRefused", "default_home", "demo_master_key", "run_demo"]
