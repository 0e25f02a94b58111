"""A bot that prints, logs, fails, keeps quiet, sends markdown and reads calendars, for the tests of the page."""

import logging
import time

from parley.bot import Bot, Login, Script, Turn
from parley.model import Card, Link, Markdown, Reply, Text
from parley.model.instant import Choice, Form, Input

bot = Bot()

MARKDOWN = """# Heading
**bold** *italic* ~~struck~~ `code`
- one
- two

> quoted

<font color="info">green</font> [a link](https://example.com/)

| a | b |
|---|---|
| 1 | 2 |
"""


@bot.command("help")
def help_() -> str:
    """What I can do"""
    return bot.help()


@bot.command()
def count(turn: Turn) -> str:
    """Count in this conversation"""
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])


@bot.command("doc check")
def check(name: str, deep: bool = False) -> str:
    """Check a document"""
    return f"{name} is fine{', deep down' if deep else ''}."


@bot.command()
def divide(by: int) -> str:
    """Divide one by a number"""
    print(f"dividing by {by}")
    return str(1 / by)


@bot.command()
def talk() -> str:
    """Print and log"""
    print("printed by the bot")
    logging.getLogger("bot").warning("logged by the bot")
    return "talked"


@bot.command()
def quiet() -> None:
    """Say nothing"""


@bot.command()
def late() -> str:
    """Too late for a passive reply"""
    time.sleep(16)
    return "That took long."


@bot.command()
def markdown() -> Reply:
    """Markdown, text that looks like markdown, and a link"""
    return Reply(
        segments=(
            Text(text="**not bold** <b>not bold</b>\n"),
            Markdown(text=MARKDOWN),
            Link(url="https://example.com/", title="A link"),
        )
    )


@bot.command()
def literal() -> str:
    """Text that looks like markdown"""
    return "**stars** _lines_ `ticks` # - > https://example.com/"


@bot.command()
def card() -> Card:
    """A card without buttons"""
    return Card(title="A card", text=MARKDOWN)


SURVEY = bot.form(
    Form(
        id="survey",
        title="Lunch",
        inputs=(
            Input(id="name", label="Name", placeholder="Who?"),
            Input(id="why", label="Wishes", kind="paragraph", required=False),
            Input(id="day", label="Day", kind="date"),
            Input(id="dish", label="Dish", kind="choice", choices=(Choice("Noodles", "n"), Choice("Rice", "r"))),
        ),
    )
)


@bot.command()
def survey() -> Card:
    """A form"""
    return Card(title="Lunch on Friday", text="Please fill in the **form**.", form=SURVEY)


@bot.action("survey")
def surveyed(turn: Turn) -> str:
    """The form was submitted"""
    form = turn.action.form
    return ", ".join(str(form[name]) for name in ("name", "day", "dish"))


@bot.command()
def like(turn: Turn) -> None:
    """React"""
    turn.react("👍")
    turn.react("🎉", turn.say("liked"))


@bot.command()
def calendar(turn: Turn) -> Script:
    """Your calendar of today"""
    login = yield Login("calendar:calendar:readonly")
    if not login:
        return "Without your login, I cannot read your calendar."
    events = turn.as_user().get("/open-apis/calendar/v4/calendars/primary/events")["data"]["items"]
    return "\n".join(each["summary"] for each in events)


@bot.command()
def logout(turn: Turn) -> str:
    """Forget your login"""
    return "I have forgotten your login." if turn.logout() else "You have not logged in."
