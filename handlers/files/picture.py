"""Makes a PNG of an SVG: `python handlers/files/picture.py < picture.svg > picture.png`.

A program of its own: resvg does not let other threads run while it draws, and the desk would stand
still. It imports nothing of ours, so it starts at once.
"""

from __future__ import annotations

import sys

import resvg_py
from noto_cjk_sans_otc import FONT_PATH


def main() -> None:
    """From standard input to standard output."""
    png = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode(),
        skip_system_fonts=True,
        font_files=[str(FONT_PATH)],
    )
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main()
