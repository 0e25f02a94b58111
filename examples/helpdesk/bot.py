"""A help desk: people ask in a dialogue, and the team answers from its room. README.md says how to use this bot."""

from datetime import timedelta
from typing import Annotated

from msgspec.structs import replace
from pydantic import Field

from desk import DeskTurn, Ticket, asker_of, in_team, name_of, new_ticket, team_of, words_for
from parley.bot import Approve, Ask, Bot, Script
from parley.bot.rules import person, private
from parley.model import Button, Card, CardField, Image, Reply, Text

bot = Bot()

_PATIENCE = timedelta(minutes=30)
"""After this time, the team is reminded of a request that nobody has taken."""
_CONFIRM = timedelta(days=2)
"""After this time, a request is closed although the person who has asked does not say that it is solved."""


@bot.command(aliases=("求助",), helps={"zh-CN": "联系服务台"})
def ask(turn: DeskTurn) -> Script:
    """Ask the help desk"""
    words, team = words_for(turn.message.context.locale), team_of(turn.message)
    if team is None:
        return words.no_team
    topic = yield Ask(words.what_about, choices=words.topics)
    text = yield Ask(words.what_happened, type=Annotated[str, Field(max_length=500)])
    picture = None
    if turn.message.platform != "discord":  # a bot there gets no pictures as answers
        picture = yield Ask(words.picture, type=Image, optional=True)

    number = turn.shared.last = turn.shared.last + 1
    ticket = new_ticket(turn.message, topic, text)
    ticket.card = turn.say(Reply(to=team, segments=(_new_card(number, ticket),)))
    if picture is not None:
        turn.say(Reply(to=team, segments=(picture,)))
    turn.shared.tickets[number] = ticket
    turn.remind(str(number), after=_PATIENCE, handler="waits")
    return words.noted.format(number=number)


@bot.reminder("waits")
def waits(turn: DeskTurn) -> Reply | None:
    """Remind the team of a request that nobody has taken"""
    ticket = turn.shared.tickets.get(int(turn.text))
    if ticket is None or ticket.taker:
        return None
    text = words_for().waits.format(number=turn.text, topic=ticket.topic)
    return replace(Reply.of(text), to=team_of(turn.message))


@bot.action("take", when=in_team)
def take(turn: DeskTurn) -> str | Reply:
    """Somebody of the team takes care of a request"""
    words, action = words_for(), turn.action
    number = int(action.value) if action.value.isdecimal() else 0
    ticket = turn.shared.tickets.get(number)
    if ticket is None:
        return words.gone.format(number=number)
    if ticket.taker:
        return words.taken_already.format(name=ticket.taker_name)
    ticket.taker, ticket.taker_name = turn.message.sender.id, name_of(turn.message)
    title = words.taken.format(name=ticket.taker_name, number=number)
    how = CardField(label=words.how_to_answer.format(number=number), short=False)
    card = Card(title=title, text=ticket.summary, literal=True, fields=(how,))
    return Reply(op="edit", target=action.message_id, segments=(card,))


@bot.command(when=in_team, aliases=("回复",), helps={"zh-CN": "回复一个请求"})
def answer(turn: DeskTurn, number: int, text: str) -> list[str | Reply] | str:
    """Answer a request that you have taken"""
    ticket = _mine(turn, number)
    if ticket is None:
        return words_for().not_yours.format(number=number)
    told = words_for(ticket.locale).answer.format(name=ticket.taker_name, number=number, text=text)
    return [replace(Reply.of(told), to=asker_of(ticket, turn.message)), words_for().sent]


@bot.command(when=in_team, aliases=("关闭",), helps={"zh-CN": "关闭一个请求"})
def close(turn: DeskTurn, number: int) -> Script:
    """Close a request that you have taken, if the person who has asked says that it is solved"""
    # Recorded, so that the answer finds the same request, also if it is closed meanwhile.
    found = turn.once("request", lambda _key: _stored(_mine(turn, number)))
    if found is None:
        return words_for().not_yours.format(number=number)
    ticket = Ticket(**found)
    question = words_for(ticket.locale).solved.format(name=ticket.taker_name, number=number)
    asker = asker_of(ticket, turn.message)
    solved = yield Approve(question, by=person(ticket.asker), room=asker, timeout=_CONFIRM, key="solved")
    if solved.outcome not in ("approved", "timed out"):
        return words_for().not_solved.format(number=number)
    turn.shared.tickets.pop(number, None)
    closed = words_for().closed.format(name=ticket.taker_name, number=number)
    turn.say(Reply(op="edit", target=ticket.card, segments=(Card(title=closed, text=ticket.summary, literal=True),)))
    turn.say(replace(Reply.of(words_for(ticket.locale).goodbye.format(number=number)), to=asker))
    return None


@bot.fallback(when=private)
def more(turn: DeskTurn) -> list[str | Reply] | str:
    """What a person adds to an open request goes to the team"""
    words, person = words_for(turn.message.context.locale), turn.message.sender.id
    number = next((each for each, ticket in turn.shared.tickets.items() if ticket.asker == person), 0)
    if not number:
        return words.hint
    added = words_for().added.format(number=number, name=name_of(turn.message), text=turn.text)
    segments = (Text(text=added), *turn.message.content.attachments)
    return [Reply(to=team_of(turn.message), segments=segments), words.passed_on.format(number=number)]


@bot.fallback
def hint(turn: DeskTurn) -> str:
    """All other messages that are for the bot"""
    return words_for(turn.message.context.locale).hint


def _new_card(number: int, ticket: Ticket) -> Card:
    words = words_for()
    button = Button(id="take", label=words.take, value=str(number), style="primary")
    return Card(title=words.title.format(number=number), text=ticket.summary, literal=True, buttons=(button,))


def _stored(ticket: Ticket | None) -> dict[str, str] | None:
    return ticket and ticket.model_dump()


def _mine(turn: DeskTurn, number: int) -> Ticket | None:
    """The request, if it is open and the sender of the message has taken it."""
    ticket = turn.shared.tickets.get(number)
    return ticket if ticket is not None and ticket.taker == turn.message.sender.id else None
