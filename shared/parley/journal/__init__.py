"""The journal: what was decided, what was said, and what is known about it."""
