"""A stand-up: the bot asks each morning, and shows one card with all answers. README.md says how to use this bot."""

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from parley.bot import Ask, Bot, Script
from parley.model import Button, Card, Message, Reply
from parley.model.instant import Form, Input
from parley.text import one_line
from team import Answer, StandUp, TeamTurn, board_of, roles, today, words_for

bot = Bot(roles=roles)
_settings = StandUp.load()  # the schedules need the places and times when the bot is loaded


@bot.scheduled(_settings.ask_at, to=_settings.places, zone=_settings.zone)
def ask(turn: TeamTurn) -> Card | None:
    """The bot asks"""
    board, words = board_of(turn), words_for()
    if board.day in board.skipped:
        return None
    button = Button(id="answer", label=words.button, style="primary")
    return Card(title=words.title, text=words.call, buttons=(button,))


@bot.scheduled(_settings.summary_at, to=_settings.places, zone=_settings.zone)
def summary(turn: TeamTurn) -> None:
    """The bot shows the answers"""
    board = board_of(turn)
    if board.day not in board.skipped and not board.late:
        board.cards.append(turn.say(_card(turn)))


@bot.reminder("summary")
def late_summary(turn: TeamTurn) -> None:
    """The summary at the time to which a lead has moved it; an earlier `/later` counts no more"""
    board, message = board_of(turn), turn.message
    if turn.text != board.late:
        return
    for place in StandUp.load().places:
        if (place.platform, place.app) == (message.platform, message.app):
            board.cards.append(turn.say(Reply(to=place, segments=(_card(turn),))))


@bot.action("answer")
def answer(turn: TeamTurn) -> Script:
    """The button under the question, where no form opens"""
    words, plan = words_for(turn.message.context.locale), turn.user.plan
    if plan:
        yield words.last.format(plan=plan)
    done = yield Ask(words.did)
    following = yield Ask(words.next)
    return _noted(turn, done, following)


@bot.instant("answer")
def form(message: Message) -> Form:
    """The form that the button opens on Discord"""
    words = words_for(message.context.locale)
    inputs = (Input(id="did", label=words.did, kind="paragraph"), Input(id="next", label=words.next, kind="paragraph"))
    return Form(id="answered", title=words.title, inputs=inputs)


@bot.action("answered")
def answered(turn: TeamTurn) -> list[str | Reply]:
    """The form was submitted"""
    filled = turn.action.form
    return _noted(turn, filled.get("did", ""), filled.get("next", ""))


@bot.command(helps={"zh-CN": "填写站会"})
def did(turn: TeamTurn, text: str) -> list[str | Reply]:
    """Answer in one line"""
    return _noted(turn, text)


@bot.command(admin=True, helps={"zh-CN": "跳过一天的站会"})
def skip(turn: TeamTurn, day: Literal["today", "tomorrow"] = "today") -> str:
    """Leave out the stand-up of a day"""
    off = today(turn) + timedelta(days=1 if day == "tomorrow" else 0)
    board_of(turn).skipped.append(off.isoformat())
    return words_for(turn.message.context.locale).skipped.format(day=off)


@bot.command(admin=True, helps={"zh-CN": "推迟今天的汇总"})
def later(turn: TeamTurn, after: timedelta) -> str:
    """Show the summary of today later: after a time from now"""
    words = words_for(turn.message.context.locale)
    at = datetime.fromtimestamp(turn.now, ZoneInfo(StandUp.load().zone)) + after
    if at.date() != today(turn):
        return words.tomorrow
    time = board_of(turn).late = f"{at:%H:%M}"
    turn.remind(time, at=at, handler="summary")
    return words.later.format(time=time)


@bot.fallback
def anything_else(message: Message) -> str:
    """All other messages"""
    return bot.help(message.context.locale or StandUp.load().language)


def _noted(turn: TeamTurn, done: str, following: str = "") -> list[str | Reply]:
    """Keep the answer. A summary that is shown already gets it, too."""
    board, sender = board_of(turn), turn.message.sender
    board.answers[sender.id] = Answer(name=sender.name or sender.id, did=done, next=following)
    turn.user.plan = following or turn.user.plan
    edits = [Reply(op="edit", target=handle, segments=(_card(turn),)) for handle in board.cards]
    return [*edits, words_for(turn.message.context.locale).noted]


def _card(turn: TeamTurn) -> Card:
    board, words = board_of(turn), words_for()
    lines = map(_line, board.answers.values())
    title = words.summary.format(day=date.fromisoformat(board.day))
    return Card(title=title, text="\n".join(lines) or words.nobody, literal=True)


def _line(answer: Answer) -> str:
    """An answer as one line, in which nothing looks like the answer of somebody else."""
    return one_line(f"{answer.name}: {' → '.join(filter(None, (answer.did, answer.next)))}")
