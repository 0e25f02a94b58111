"""A bot that plans: reminders, dialogues, states of people and of the app, a call outside."""

from datetime import timedelta

from parley.bot import Approve, Ask, Bot, Script, Turn
from parley.model import Destination

bot = Bot()


@bot.command()
def nap(turn: Turn, seconds: int, text: str) -> str:
    """Say something after some seconds"""
    turn.remind(text, after=timedelta(seconds=seconds))
    return "planned"


@bot.command()
def every(turn: Turn, text: str) -> str:
    """Say something each minute"""
    turn.remind(text, cron="* * * * *", handler="tick")
    return "planned"


@bot.reminder("tick")
def tick(turn: Turn) -> str:
    """Say it."""
    return turn.text


@bot.command()
def plans(turn: Turn) -> str:
    """What is planned"""
    return ", ".join(each.text for each in turn.reminders) or "nothing"


@bot.command()
def cancel(turn: Turn) -> str:
    """Cancel all reminders"""
    return f"{sum(turn.cancel(each.id) for each in turn.reminders)} cancelled"


@bot.command()
def pay(turn: Turn) -> str:
    """Pay once, and count the payments of the person and of everybody"""
    receipt = turn.once("pay", len)
    for state in (turn.user, turn.shared):
        state["paid"] = state.get("paid", 0) + 1
    return f"{receipt}, {turn.user['paid']} of {turn.shared['paid']}"


@bot.command()
def order(turn: Turn, what: str) -> Script:
    """Order something"""
    count = yield Ask("How many?", type=int)
    turn.state["ordered"] = turn.state.get("ordered", 0) + count
    return f"{count} {what}, {turn.state['ordered']} in all"


@bot.command()
def deploy(turn: Turn, version: str, room: str) -> Script:
    """Deploy something if somebody in another room approves"""
    message = turn.message
    there = Destination(platform=message.platform, app=message.app, room_id=room)
    ok = yield Approve(f"Deploy {version}?", room=there, key="deploy")
    return f"deployed {version}" if ok else f"{version} is {ok.outcome}"
