"""Writes the limits of replies, states, reminders, commands and forms into docs/limits.md and docs/limits.zh-CN.md.

    python -m tools.make_limits

`tests/unit/test_limits.py` fails if the files differ from the code.
"""

from pathlib import Path
from typing import NamedTuple

from parley.adapter import NO_LIMIT, ContentLimits, Maximum
from parley.journal.limits import (
    MAX_AGENDA,
    MAX_DECISION,
    MAX_PLANNED,
    MAX_REMINDER,
    MAX_REMINDERS,
    MAX_REPLIES,
    MAX_REPLY,
    MAX_RESULTS,
    MAX_STATE,
)
from parley.platforms import NAMES, content_limits

FOLDER = Path(__file__).resolve().parents[1] / "docs"
_MEGABYTE = 1_048_576

ROWS: dict[str, tuple[str, str]] = {
    "text": ("text of one message", "单条消息的文本"),
    "markdown": ("Markdown of one message", "单条消息的 Markdown"),
    "webhook": ("Markdown of one message to a group webhook or robot", "群机器人单条消息的 Markdown"),
    "card": ("card", "卡片"),
    "card_without_text": ("card with one button, without its text", "只有一个按钮的卡片，不含正文"),
    "card_title": ("title of a card or link", "卡片或链接的标题"),
    "card_text": ("text of a card", "卡片的正文"),
    "buttons": ("buttons of a card", "卡片的按钮数"),
    "edited_buttons": ("buttons of a card that replaces the pressed one", "替换被点击卡片时，新卡片的按钮数"),
    "button_label": ("label of a button", "按钮的文字"),
    "button_key": ("id and value of a button together", "按钮的 id 与 value 合计"),
    "button_url": ("address of a button", "按钮的网址"),
    "card_fields": ("fields of a card", "卡片的字段数"),
    "field_value": ("value of a field", "字段的值"),
    "selects": ("menus of a card", "卡片的下拉菜单数"),
    "menu_choices": ("choices of a menu of a card", "卡片下拉菜单的选项数"),
    "links": ("links with a description or picture in one message", "单条消息中带描述或图片的链接数"),
    "thread_name": ("name of a new thread", "新话题的名称"),
    "image": ("image", "图片"),
    "audio": ("audio", "音频"),
    "video": ("video", "视频"),
    "file": ("other file", "其他文件"),
    "commands": ("commands of a bot, by first word", "机器人的命令数（按首个单词计）"),
    "menu_entries": ("entries of each context menu", "每种右键菜单的条目数"),
    "command_name": ("word of a command's name, name of an option", "命令名的单词、选项名"),
    "menu_name": ("name of a menu entry", "菜单条目的名称"),
    "command_help": ("help of a command or option", "命令或选项的帮助"),
    "command_size": ("names, help and choices of a command together", "一个命令的名称、帮助与候选值合计"),
    "options": ("options of a command, sub-commands of a word", "命令的选项数、同一单词下的子命令数"),
    "choices": ("choices of an option", "选项的候选值数"),
    "completions": ("completions, choices of an input", "补全的候选值数、输入项的候选值数"),
    "choice_label": ("label of a choice", "候选值的文字"),
    "choice_value": ("value of a completion or choice", "补全或候选的值"),
    "inputs": ("inputs of a form", "表单的输入项数"),
    "form_title": ("title of a form", "表单的标题"),
    "input_id": ("id of an input", "输入项的 id"),
    "input_label": ("label of an input", "输入项的标签"),
    "input_help": ("help or placeholder of an input", "输入项的帮助或占位文字"),
    "input_text": ("`max_length` of an input", "输入项的 `max_length`"),
}
"""The limits by the field of `ContentLimits`, in English and Chinese."""

BEYOND: dict[str, tuple[str, str, str, str]] = {
    "error": ("**error**", "the handler fails with `ResultError`", "**报错**", "处理函数以 `ResultError` 失败"),
    "refused": (
        "refused",
        "the person reads so, and nothing of the turn is stored; the handler of an event fails with `ResultError`",
        "拒绝",
        "用户收到提示，本次不保存任何内容；事件的处理函数以 `ResultError` 失败",
    ),
    "continued": ("continued", "the rest follows in further messages", "续发", "其余内容在后续消息中发送"),
    "shortened": ("shortened", "it is cut to the limit", "截短", "截到上限"),
    "text": ("as text", "it is shown as text; media with their address", "转为文本", "显示为文本，媒体附上地址"),
    "numbered": (
        "numbered",
        "it is a numbered line of text, whose number the person sends",
        "编号文本",
        "显示为带编号的文本行，用户发送编号即可",
    ),
    "left out": ("left out", "it is not offered; all others are", "略去", "不提供这一项，其余照常"),
    "ordinary handler": (
        "no form",
        "the form does not open, and the handler of the command or button runs; `bot.instantly` raises `ResultError`",
        "不打开表单",
        "改为运行命令或按钮的处理函数；`bot.instantly` 抛出 `ResultError`",
    ),
    "registration": (
        "not registered",
        "`parley discord register` reports the command",
        "注册失败",
        "`parley discord register` 会报告该命令",
    ),
}
"""What happens beyond a limit: the word in the table and its meaning, in English and Chinese."""

_UNITS = {"": ("", ""), "characters": (" characters", " 字符"), "bytes": (" bytes", " 字节")}


class Language(NamedTuple):
    """The texts of one document. `place` is that of the language in `ROWS` and `_UNITS`."""

    file: str
    place: int
    intro: str
    own: str
    own_header: str
    own_rows: tuple[str, ...]
    platforms: str
    header: str
    meaning: str


ENGLISH = Language(
    "limits.md",
    0,
    """# Limits

[中文](limits.zh-CN.md)

This page lists how large replies, states, commands and forms can be, how many reminders there can be, and what Parley
does with more. If the platform would lose a part of a reply, the handler fails with a `ResultError` that names the
limit, in your unit test as well. Everything else is split, shortened or shown in another form. See
[Writing a bot](writing-a-bot.md#errors-logs-and-retries).

`python -m tools.make_limits` writes this page from the code.""",
    "## Limits of Parley",
    "| | at most | beyond |",
    (
        "replies to one message",
        "one reply, as JSON",
        "each state (of a conversation, of a person, of an app), as JSON",
        "states and replies together, as JSON",
        "results of `turn.once` for one message together, as JSON",
        "one reminder, as JSON",
        "all reminders of a conversation, as JSON",
        "reminders of a conversation",
        "reminders that one message sets, changes or cancels",
    ),
    "## Limits of the platforms",
    "| |",
    "| in the table | meaning |",
)
CHINESE = Language(
    "limits.zh-CN.md",
    1,
    """# 上限

[English](limits.md)

本页列出回复、状态、提醒、命令和表单的上限，以及超出时 Parley 如何处理。如果平台会丢失回复的一部分，
处理函数就以 `ResultError` 失败，错误信息写明上限，单元测试里也一样。其他情况会拆分、截短或换一种形式显示。
见[编写机器人](writing-a-bot.zh-CN.md#错误日志与重试)。

本页由 `python -m tools.make_limits` 根据代码生成。""",
    "## Parley 的上限",
    "| | 上限 | 超出时 |",
    (
        "一条消息的回复数",
        "单条回复（JSON）",
        "每个状态（会话、用户、应用）（JSON）",
        "状态与回复合计（JSON）",
        "一条消息的 `turn.once` 结果合计（JSON）",
        "一个提醒（JSON）",
        "一个会话的全部提醒（JSON）",
        "一个会话的提醒数",
        "一条消息设置、修改或取消的提醒数",
    ),
    "## 平台的上限",
    "| |",
    "| 表中的写法 | 含义 |",
)


def documents() -> dict[str, str]:
    """The documents by file name."""
    return {language.file: _document(language) for language in (ENGLISH, CHINESE)}


def _document(language: Language) -> str:
    blocks = (language.intro, language.own, _own(language), language.platforms, _meanings(language), _table(language))
    return "\n\n".join(blocks) + "\n"


def _own(language: Language) -> str:
    """The limits of the journal, which hold on every platform."""
    maxima = (
        Maximum(MAX_REPLIES, "", "error"),
        Maximum(MAX_REPLY, "bytes", "error"),
        Maximum(MAX_STATE, "bytes", "refused"),
        Maximum(MAX_DECISION, "bytes", "error"),
        Maximum(MAX_RESULTS, "bytes", "error"),
        *(Maximum(size, "bytes", "refused") for size in (MAX_REMINDER, MAX_AGENDA)),
        *(Maximum(count, "", "refused") for count in (MAX_REMINDERS, MAX_PLANNED)),
    )
    rows = (
        f"| {what} | {_size(maximum, language)} | {_beyond(maximum, language)} |"
        for what, maximum in zip(language.own_rows, maxima, strict=True)
    )
    return "\n".join((language.own_header, "|---|---|---|", *rows))


def _meanings(language: Language) -> str:
    place = 2 * language.place
    rows = (f"| {texts[place]} | {texts[place + 1]} |" for texts in BEYOND.values())
    return "\n".join((language.meaning, "|---|---|", *rows))


def _table(language: Language) -> str:
    limits = [content_limits(name) for name in NAMES]
    header = f"{language.header} {' | '.join(each.name for each in limits)} |"
    rows = (_row(field, limits, language) for field in ContentLimits._fields if field != "name")
    return "\n".join((header, "|---" * (len(limits) + 1) + "|", *rows))


def _row(field: str, limits: list[ContentLimits], language: Language) -> str:
    cells = (_cell(getattr(each, field), language) for each in limits)
    return f"| {ROWS[field][language.place]} | {' | '.join(cells)} |"


def _cell(maximum: Maximum, language: Language) -> str:
    if maximum is NO_LIMIT:
        return "–"
    separator = "，" if language.place else ", "
    return f"{_size(maximum, language)}{separator}{_beyond(maximum, language)}"


def _size(maximum: Maximum, language: Language) -> str:
    if maximum.unit == "bytes" and maximum.most % _MEGABYTE == 0:
        return f"{maximum.most // _MEGABYTE} MiB"
    return f"{maximum.most:,}{_UNITS[maximum.unit][language.place]}"


def _beyond(maximum: Maximum, language: Language) -> str:
    return BEYOND[maximum.beyond][2 * language.place]


def main() -> None:
    """Write both files, and print their names."""
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
        print(FOLDER.name + "/" + name)


if __name__ == "__main__":
    main()
