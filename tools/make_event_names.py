"""Writes the portable names of events into docs/events.md and docs/events.zh-CN.md.

    python -m tools.make_event_names

`tests/unit/test_event_names.py` fails if the files differ from the code.
"""

from pathlib import Path
from typing import NamedTuple

from parley.bot.events import PORTABLE
from parley.platforms import NAMES, content_limits, portable_events

FOLDER = Path(__file__).resolve().parents[1] / "docs"

MEANINGS: dict[str, tuple[str, str]] = {
    "member_joined": ("a person joined a room", "成员进群"),
    "member_left": ("a person left a room, or was removed", "成员退群或被移出"),
    "bot_added": ("the bot was added to a room", "机器人被拉进群"),
    "bot_removed": ("the bot was removed from a room", "机器人被移出群"),
    "app_installed": ("an organisation, server or person installed the app", "企业、服务器或个人安装了应用"),
    "app_removed": ("the app was uninstalled", "应用被卸载"),
    "person_followed": ("a person follows the account or app", "关注公众号或应用"),
    "person_unfollowed": ("a person no longer follows it", "取消关注"),
    "chat_opened": ("a person opened the chat with the bot", "打开与机器人的单聊"),
    "room_changed": ("the name or another property of a room changed", "群名称等信息变更"),
    "room_closed": ("a room was dissolved", "群解散"),
    "reaction_added": ("a reaction to a message", "给消息添加表情回复"),
    "reaction_removed": ("a reaction was taken back", "取消表情回复"),
    "message_read": ("a person read a message of the bot", "机器人的消息已读"),
    "message_recalled": ("a message was recalled", "消息被撤回"),
    "menu_pressed": ("an entry of the bot's menu was pressed", "点击机器人菜单"),
    "location_reported": ("the client reported the position of a person", "上报地理位置"),
}
"""The meaning of each portable name, in English and Chinese."""


class Language(NamedTuple):
    """The texts of one document. `place` is that of the language in `MEANINGS`."""

    file: str
    place: int
    intro: str
    header: str


ENGLISH = Language(
    "events.md",
    0,
    """# Events

[中文](events.zh-CN.md)

This page lists the portable names of events. `@bot.event("member_joined")` handles the event on every platform that has
it. `@bot.event` also takes the platform's own name of any event; such a handler goes first. `turn.message.event` is
always the platform's name. See [Writing a bot](writing-a-bot.md#answer-other-messages).

A platform sends an event only if the app subscribes to it. `python -m tools.make_event_names` writes this page from the
code.""",
    "| name | meaning |",
)
CHINESE = Language(
    "events.zh-CN.md",
    1,
    """# 事件

[English](events.md)

本页列出事件的通用名。`@bot.event("member_joined")` 在所有提供该事件的平台上都生效。`@bot.event` 也接受
平台自己的任何事件名，这样的处理函数优先。`turn.message.event` 始终是平台的事件名。见
[编写机器人](writing-a-bot.zh-CN.md#响应其他消息)。

应用订阅了的事件平台才会推送。本页由 `python -m tools.make_event_names` 根据代码生成。""",
    "| 名称 | 含义 |",
)


def documents() -> dict[str, str]:
    """The documents by file name."""
    return {language.file: f"{language.intro}\n\n{_table(language)}\n" for language in (ENGLISH, CHINESE)}


def _table(language: Language) -> str:
    platforms = [name for name in NAMES if portable_events(name)]
    titles = " | ".join(content_limits(name).name for name in platforms)
    rows = (
        f"| `{name}` | {MEANINGS[name][language.place]} | {' | '.join(_cell(name, each) for each in platforms)} |"
        for name in PORTABLE
    )
    return "\n".join((f"{language.header} {titles} |", "|---" * (len(platforms) + 2) + "|", *rows))


def _cell(name: str, platform: str) -> str:
    """The platform's own names of an event."""
    own = (f"`{key}`" for key, value in portable_events(platform).items() if value == name)
    return "<br>".join(own) or "–"


def main() -> None:
    """Write both files, and print their names."""
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
        print(FOLDER.name + "/" + name)


if __name__ == "__main__":
    main()
