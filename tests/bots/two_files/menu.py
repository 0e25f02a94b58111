"""What the bot beside it serves."""

DRINKS = ("Green tea", "Milk tea", "Water")


def like(typed: str) -> list[str]:
    """The drinks whose name contains `typed`."""
    return [drink for drink in DRINKS if typed.lower() in drink.lower()]
