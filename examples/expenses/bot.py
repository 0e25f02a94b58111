"""Expenses: a person asks in a dialogue, others approve, and accounting books it once. README.md says how to use it."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

import accounting
from company import Expenses, roles, words_for
from parley.bot import Approve, Ask, Bot, Script, Turn
from parley.bot.rules import person, role
from parley.model import Message
from parley.text import one_line

bot = Bot(roles=roles)

_AMOUNT = Annotated[Decimal, Field(gt=0, le=50_000, decimal_places=2)]
_PATIENCE = timedelta(days=3)
_KEPT = 50
"""Expenses of a person that `/expenses` can list."""


class Expense(BaseModel):
    """An expense that is decided. `result` is what the person has read."""

    amount: Decimal
    purpose: str
    result: str


class Mine(BaseModel):
    """The expenses of a person."""

    expenses: list[Expense] = []


MyTurn = Turn[dict[str, Any], Mine]


@bot.command(aliases=("报销",), helps={"zh-CN": "提交报销"})
def expense(turn: MyTurn) -> Script:
    """Hand in an expense"""
    settings, words, sender = Expenses.load(), words_for(turn.message), turn.message.sender
    amount = yield Ask(words.amount.format(currency=settings.currency), type=_AMOUNT)
    purpose = yield Ask(words.purpose, type=Annotated[str, Field(max_length=200)])
    category = yield Ask(words.category, choices=words.categories)

    # What the person wrote is one line: it cannot look like a line of the bot to those who approve it.
    name, what = one_line(sender.name or sender.id), one_line(purpose)
    question = words.approve.format(
        name=name, amount=amount, currency=settings.currency, purpose=what, category=category
    )
    for level in settings.levels:
        if amount > level.above:
            others = role(level.role) & ~person(sender.id)  # nobody approves an expense of their own
            ok = yield Approve(question, by=others, room=level.room(turn.message), timeout=_PATIENCE, key=level.role)
            if not ok:
                return _decided(turn, amount, purpose, words.refused(ok))
    url, token = settings.accounting_url, settings.accounting_token
    receipt = turn.once("book", lambda key: accounting.book(url, token, amount, purpose, key))
    return _decided(turn, amount, purpose, words.booked.format(receipt=receipt))


@bot.command(aliases=("我的报销",), helps={"zh-CN": "我的报销记录"})
def expenses(turn: MyTurn) -> str:
    """List my expenses"""
    lines = (f"{each.amount}  {each.purpose}: {each.result}" for each in turn.user.expenses)
    return "\n".join(lines) or words_for(turn.message).none


@bot.fallback
def anything_else(message: Message) -> str:
    """All other messages"""
    return bot.help(message.context.locale or Expenses.load().language)


def _decided(turn: MyTurn, amount: Decimal, purpose: str, result: str) -> str:
    """Keep the expense in the list of the person. Returns the result."""
    turn.user.expenses = [*turn.user.expenses, Expense(amount=amount, purpose=purpose, result=result)][-_KEPT:]
    return result
