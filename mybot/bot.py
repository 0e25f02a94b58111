"""Your bot. This is the one file to edit: the same handlers answer on every platform."""

import time

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
def count(turn: Turn) -> str:
    """A number that this conversation keeps, one more each time"""
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
    return f"You chose {turn.message.action.id}." if turn.message.action else ""


@bot.command()
def order(drink: str) -> str:
    """Order a drink"""
    return f"One {drink}, coming."


@bot.completion("order", "drink")
def drinks(typed: str) -> list[str]:
    """What may be meant, shown while one types"""
    return [drink for drink in ("Coffee", "Green tea", "Milk tea", "Water") if typed.lower() in drink.lower()]


@bot.command()
def feedback() -> str:
    """Tell us what you think"""
    return "No form opens here. Just write it."


@bot.instant("feedback")
def form(_message: Message) -> Form:
    """The same command, where a form can be opened at once"""
    return Form(id="feedback", title="Feedback", inputs=(Input(id="text", label="What do you think?"),))


@bot.action("feedback")
def filled_in(turn: Turn) -> str:
    """The form above was sent off"""
    return f"Thank you for “{turn.text}”."


@bot.command("Count words", menu="message")
def words(turn: Turn) -> str:
    """Called from the menu of a message"""
    return f"{len(turn.text.split())} words"


@bot.command()
def slow(seconds: float) -> str:
    """Answer after a while"""
    seconds = max(0.0, min(seconds, 20.0))
    time.sleep(seconds)
    return f"That took {seconds:g} seconds."


@bot.fallback
def anything_else(turn: Turn) -> str | Reply:
    """Whatever no other handler takes"""
    if turn.message.content.attachments:
        return Reply.of(f"Thank you for the {type(turn.message.content.attachments[0]).__name__.lower()}.")
    return f"I heard “{turn.text}”. Send /help to see what I can do."
