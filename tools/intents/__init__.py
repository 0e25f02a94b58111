"""Measures how well intents are found, with labelled messages in two languages: `python -m tools.intents`."""
