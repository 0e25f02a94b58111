"""Finds the intent of a message from examples: no network, no packages, the same result every time.

A bot that defines no intent imports nothing of this package.
"""
