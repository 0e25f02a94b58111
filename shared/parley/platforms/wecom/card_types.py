"""The types of template cards that Parley sends (WeCom docs: Send application messages > Template cards)."""

BUTTONS = "button_interaction"
VOTE = "vote_interaction"
"""A menu of a card."""
MENUS = "multiple_interaction"
"""A form whose inputs are choices."""
