"""Parley: one bot, every chat platform, no server."""
