"""A bot of two files: it imports the module beside it."""

from menu import DRINKS, like

from parley.bot import Bot, Secret, Settings, Turn

bot = Bot()


class Shop(Settings):
    """The settings of this bot."""

    api_key: Secret
    opens_at: int = 8


@bot.command()
def menu() -> str:
    """What there is"""
    return ", ".join(DRINKS)


@bot.command()
def order(drink: str) -> str:
    """Order a drink"""
    return f"One {drink}, coming."


@bot.command()
def hours() -> str:
    """When it opens"""
    shop = Shop.load()
    return f"{shop.opens_at}:00, with a key of {len(shop.api_key.reveal())} characters"


@bot.completion("order", "drink")
def drinks(typed: str) -> list[str]:
    """Drinks that match what was typed so far"""
    return like(typed)


@bot.command()
def echo(text: str) -> str:
    """Say it back"""
    return text


@bot.command()
def count(turn: Turn) -> str:
    """A number that this conversation keeps"""
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])
