"""What happens to a desk when something around it breaks: `make faults` plants it and measures.

Each module plants one family of faults against desks of its own (`python -m bot run` with servers
and a sandbox that nobody else uses) and says what it saw, beside the bar that was set for it. The
functions take their sizes as arguments: the suite runs the same ones with smaller figures.
"""

from __future__ import annotations
