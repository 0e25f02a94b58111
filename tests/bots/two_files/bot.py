"""A bot of two files: it imports the module beside it."""

from menu import DRINKS, like

from parley.bot import Bot, Turn

bot = Bot()


@bot.command()
def menu() -> str:
    """What there is"""
    return ", ".join(DRINKS)


@bot.command()
def order(drink: str) -> str:
    """Order a drink"""
    return f"One {drink}, coming."


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
