"""A library answers questions, in the words that people use. README.md says how to use this bot."""

from datetime import date, timedelta
from typing import Literal

from parley.bot import Ask, Bot, Script, Turn, texts_for
from parley.model import Reply
from words import LANGUAGES, Words

bot = Bot()

_HOURS = ("9:00–20:00",) * 5 + ("10:00–16:00",)
"""From Monday to Saturday."""


@bot.command(helps={"zh-CN": "提问"})
def ask(turn: Turn, question: str) -> list[Reply] | str:
    """Ask a question"""
    return bot.understand(turn, question) or _words(turn).hint


@bot.command(helps={"zh-CN": "选择语言"})
def lang(turn: Turn, language: Literal["en", "zh"]) -> str:
    """Choose the language of the answers"""
    turn.user["language"] = language
    return _words(turn).language


@bot.intent(
    "hours",
    examples=[
        "when are you open",
        "opening hours",
        "is the library open on Sunday",
        "what time do you close today",
        "are you closed tomorrow",
        "几点开门",
        "开放时间",
        "周日开馆吗",
        "今天几点关门",
        "明天闭馆吗",
    ],
    labels={"en": "Opening hours", "zh": "开放时间"},
    zone="Asia/Shanghai",
)
def hours(turn: Turn, day: date | None = None) -> Script:
    """The opening hours of a day"""
    words = _words(turn)
    asked: date = day or (yield Ask("Which day? 哪一天？", type=date))
    if asked.weekday() == 6:
        return words.closed.format(day=asked)
    return words.open.format(day=asked, hours=_HOURS[asked.weekday()])


@bot.intent(
    "renew",
    examples=[
        "how do I renew a book",
        "extend my loan",
        "I need the book for longer",
        "can I keep it two more weeks",
        "renew online",
        "怎么续借",
        "延长借书时间",
        "书还没看完想多借几天",
        "可以再借两周吗",
        "网上续借",
    ],
    labels={"en": "Renew a book", "zh": "续借"},
)
def renew(turn: Turn, by: timedelta = timedelta(weeks=4)) -> str:
    """How a loan is renewed"""
    return _words(turn).renew.format(weeks=max(1, min(by, timedelta(weeks=4)).days // 7))


@bot.intent(
    "fine",
    examples=[
        "what does it cost if I am late",
        "how high is the fine",
        "my book is three days overdue",
        "I forgot to return a book",
        "late fee",
        "逾期要罚多少钱",
        "罚款怎么算",
        "书超期三天了",
        "忘记还书了",
        "滞纳金",
    ],
    labels={"en": "Fines", "zh": "逾期费用"},
)
def fine(turn: Turn, late: timedelta = timedelta(), days: int = 0) -> str:
    """What a late book costs"""
    many = late.days or days
    if not many:
        return _words(turn).fine_in_general
    return _words(turn).fine.format(days=many, amount=min(10.0, 0.2 * many))


@bot.intent(
    "card",
    examples=[
        "how do I get a library card",
        "I want to become a member",
        "sign up for a card",
        "what do I need to register",
        "is the card free",
        "怎么办借书证",
        "我想办一张卡",
        "注册成为读者",
        "办证要带什么",
        "办卡免费吗",
    ],
    labels={"en": "Get a card", "zh": "办借书证"},
)
def card(turn: Turn) -> str:
    """How to get a library card"""
    return _words(turn).card


@bot.intent(
    "lost",
    examples=[
        "I lost my library card",
        "my card was stolen",
        "replace a lost card",
        "block my card",
        "I can't find my card",
        "借书证丢了",
        "卡被偷了",
        "补办借书证",
        "挂失",
        "找不到我的卡了",
    ],
    labels={"en": "Lost card", "zh": "借书证丢失"},
)
def lost(turn: Turn) -> str:
    """What to do without a card"""
    return _words(turn).lost


@bot.intent(
    "room",
    examples=[
        "book a group room",
        "is there a room to study together",
        "reserve a study room",
        "a quiet place for four people",
        "how do I cancel a room",
        "预约研讨室",
        "有小组学习的房间吗",
        "订一间自习室",
        "四个人讨论的地方",
        "怎么取消房间预约",
    ],
    labels={"en": "Group rooms", "zh": "研讨室"},
)
def room(turn: Turn) -> str:
    """Rooms for groups"""
    return _words(turn).room


@bot.fallback
def hint(turn: Turn) -> str:
    """All other messages that are for the bot"""
    return _words(turn).hint


def _words(turn: Turn) -> Words:
    """The texts in the language that the person has chosen; else that of the platform, or of the question."""
    chosen: str = turn.user.get("language", "")
    return texts_for(chosen or turn.message.context.locale or _language_of(turn.text), LANGUAGES)


def _language_of(text: str) -> str:
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"
