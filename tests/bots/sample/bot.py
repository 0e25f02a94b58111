"""The bot that this project's tests, its demo and its benchmarks talk to. The team's own is mybot/bot.py."""

import time
from datetime import timedelta

from parley.bot import Bot, Turn
from parley.model import Button, Card, Message, Reply
from parley.model.instant import Form, Input

bot = Bot()


@bot.command("help")
def help_() -> str:
    """What I can do"""
    return bot.help()


@bot.command()
def echo(text: str) -> str:
    """Say it back"""
    return text


@bot.command()
def hello(turn: Turn) -> str:
    """Greet you by name"""
    name = turn.message.sender.name
    return f"Hello, {name}!" if name else "Hello!"


@bot.command()
def count(turn: Turn) -> str:
    """Count in this conversation"""
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])


@bot.command()
def card() -> Card:
    """Two buttons"""
    return Card(
        title="Tea or coffee?",
        text="Press **one**.",
        buttons=(Button(id="tea", label="Tea", style="primary"), Button(id="coffee", label="Coffee")),
    )


@bot.action("tea", "coffee")
def pressed(turn: Turn) -> str:
    """A button of the card above was pressed"""
    return f"You chose {turn.action.id}."


@bot.command()
def order(drink: str) -> str:
    """Order a drink"""
    return f"One {drink}, coming."


@bot.completion("order", "drink")
def drinks(typed: str) -> list[str]:
    """Suggestions while the person types"""
    return [drink for drink in ("Coffee", "Green tea", "Milk tea", "Water") if typed.lower() in drink.lower()]


@bot.command()
def feedback() -> str:
    """Tell us what you think"""
    return "No form opens here. Just write it."


@bot.instant("feedback")
def form(_message: Message) -> Form:
    """The same command on platforms that can open a form"""
    return Form(id="feedback", title="Feedback", inputs=(Input(id="text", label="What do you think?"),))


@bot.action("feedback")
def filled_in(turn: Turn) -> str:
    """The form above was submitted"""
    return f"Thank you for “{turn.text}”."


@bot.command("Count words", menu="message")
def words(turn: Turn) -> str:
    """A command in the menu of a message"""
    return f"{len(turn.text.split())} words"


@bot.command()
def remind(turn: Turn, after: timedelta, text: str) -> str:
    """Remind you later"""
    turn.remind(text, after=after)
    return "I will remind you."


@bot.command()
def slow(seconds: float) -> str:
    """Answer after a while"""
    seconds = max(0.0, min(seconds, 20.0))
    time.sleep(seconds)
    return f"That took {seconds:g} seconds."


@bot.fallback
def anything_else(turn: Turn) -> str | Reply:
    """All other messages"""
    if turn.message.content.attachments:
        return Reply.of(f"Thank you for the {type(turn.message.content.attachments[0]).__name__.lower()}.")
    return f"You wrote “{turn.text}”. Send /help to see what I can do."
