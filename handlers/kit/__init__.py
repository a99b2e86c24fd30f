"""What every conversation is made of: who speaks, what was said, screens and buttons."""
