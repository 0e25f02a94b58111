"""Your bot. Edit this file. The same handlers reply on every platform."""

from datetime import timedelta
from typing import Literal

from parley.bot import Approve, Ask, Bot, Script, Turn, texts_for
from parley.model import Button, Card

bot = Bot()


def say(turn: Turn, english: str, chinese: str) -> str:
    """The text in the language of the person. Only Discord tells it: on other platforms people read both."""
    return texts_for(turn.message.context.locale, {"en": english, "zh": chinese, "": f"{chinese} {english}"})


@bot.command("help", aliases=("帮助",), helps={"zh-CN": "我能做什么"})
def help_(turn: Turn) -> str:
    """What I can do"""
    return bot.help(turn.message.context.locale)


@bot.command(helps={"zh-CN": "重复一遍"})
def echo(text: str) -> str:
    """Say it back"""
    return text


@bot.command(aliases=("计数",), helps={"zh-CN": "在这个会话里计数"})
def count(turn: Turn) -> str:
    """Count in this conversation"""
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])


@bot.command(aliases=("提醒",), helps={"zh-CN": "到时提醒：/remind 10m 喝水"})
def remind(turn: Turn, after: timedelta, text: str) -> str:
    """Remind you later: /remind 10m tea"""
    turn.remind(text, after=after)
    return say(turn, "I will remind you.", "到时提醒您。")


@bot.command(helps={"zh-CN": "两个按钮"})
def card(turn: Turn) -> Card:
    """Two buttons"""
    return Card(
        title=say(turn, "Tea or coffee?", "喝茶还是喝咖啡？"),
        text=say(turn, "Press **one**.", "请选**一个**。"),
        buttons=(
            Button(id="tea", label=say(turn, "Tea", "茶"), style="primary"),
            Button(id="coffee", label=say(turn, "Coffee", "咖啡")),
        ),
    )


@bot.action("tea", "coffee")
def pressed(turn: Turn) -> str:
    """A button of the card above was pressed"""
    is_tea = turn.action.id == "tea"
    return say(turn, "You chose tea.", "您选了茶。") if is_tea else say(turn, "You chose coffee.", "您选了咖啡。")


@bot.command(aliases=("点单",), helps={"zh-CN": "在对话中点单"})
def order(turn: Turn) -> Script:
    """Order in a dialogue"""
    drinks = (say(turn, "Tea", "茶"), say(turn, "Coffee", "咖啡"), say(turn, "Water", "水"))
    drink = yield Ask(say(turn, "What would you like?", "喝什么？"), choices=drinks)
    cups = yield Ask(say(turn, "How many?", "几杯？"), type=Literal[1, 2, 3])
    return say(turn, f"{cups} × {drink}, coming.", f"{cups} 杯{drink}，马上就来。")


@bot.command(aliases=("发布",), helps={"zh-CN": "批准之后发布"})
def deploy(turn: Turn, version: str) -> Script:
    """Deploy a version, if somebody here approves"""
    ok = yield Approve(say(turn, f"Deploy {version}?", f"发布 {version}？"), key="deploy")
    if ok:
        yield say(turn, f"{version} is deployed.", f"{version} 已发布。")


@bot.fallback
def anything_else(turn: Turn) -> str:
    """All other messages"""
    if turn.message.content.attachments:
        return say(turn, "Thank you for the file.", "收到文件，谢谢。")
    return say(turn, f"You wrote “{turn.text}”. Send /help.", f"您写了“{turn.text}”。请发送 /help。")
