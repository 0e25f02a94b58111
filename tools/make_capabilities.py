"""Writes docs/capabilities.md and docs/capabilities.zh-CN.md from the capabilities of the platforms.

    python -m tools.make_capabilities

`tests/unit/test_capabilities.py` fails if the files differ from the code.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from parley.adapter import Capabilities
from parley.platforms import NAMES, capabilities, content_limits
from parley.platforms.feishu.emoji import EMOJI

FOLDER = Path(__file__).resolve().parents[1] / "docs"

ROWS: dict[str, tuple[str, str, str]] = {
    "text": ("`Text`", "plain text", "纯文本"),
    "bold": ("`Markdown`", "bold", "粗体"),
    "italic": ("`Markdown`", "italic", "斜体"),
    "strikethrough": ("`Markdown`", "strikethrough", "删除线"),
    "code": ("`Markdown`", "code in a line", "行内代码"),
    "code_block": ("`Markdown`", "code block", "代码块"),
    "heading": ("`Markdown`", "heading", "标题"),
    "items": ("`Markdown`", "list", "列表"),
    "block_quote": ("`Markdown`", "quote", "引用"),
    "table": ("`Markdown`", "table", "表格"),
    "picture": ("`Markdown`", "picture by address", "图片（地址）"),
    "rule": ("`Markdown`", "horizontal rule", "分隔线"),
    "link": ("`Link`", "link with a title", "带标题的链接"),
    "link_preview": ("`Link`", "link with a description and a picture", "带描述与图片的链接"),
    "mention": ("`Mention`", "a person", "@成员"),
    "mention_all": ("`Mention`", "everyone", "@所有人"),
    "image_key": ("`Image`", "stored at the platform (`key`)", "已存于平台（`key`）"),
    "image_data": ("`Image`", "bytes (`data`)", "字节（`data`）"),
    "image_url": ("`Image`", "address (`url`)", "地址（`url`）"),
    "image_received": ("`Image`", "from a person, on any platform", "用户发来的图片（任何平台）"),
    "audio": ("`Audio`", "voice message in the platform's format", "语音（平台支持的格式）"),
    "video": ("`Video`", "video", "视频"),
    "file": ("`File`", "any file", "任意文件"),
    "location": ("`Location`", "location", "位置"),
    "quote": ("`Quote`", "an earlier message", "引用的消息"),
    "card_title": ("`Card.title`", "title", "标题"),
    "card_text": ("`Card.text`", "text in markdown", "Markdown 正文"),
    "card_literal": ("`Card.literal`", "text in which nothing is markup", "原样显示的正文"),
    "card_image": ("`Card.images`", "picture by address or bytes", "图片（地址或字节）"),
    "card_mention": ("`Card.mentions`", "mentions", "@成员"),
    "card_field": ("`Card.fields`", "label and value", "标签与值"),
    "button": ("`Card.buttons`", "button that is pressed", "回调按钮"),
    "link_button": ("`Card.buttons`", "button with an address", "链接按钮"),
    "menu": ("`Card.selects`", "menu to choose from", "下拉菜单"),
    "form_choice": ("`Card.form`", "form of choices", "只含选项的表单"),
    "form_text": ("`Card.form`", "form with an input for text", "含文本输入的表单"),
    "form_date": ("`Card.form`", "form with a date", "含日期的表单"),
    "other": ("`Other`", "content of another platform", "其他平台的内容"),
    "reaction": ("`turn.react`", "reaction to a message", "对消息的表情回复"),
}
"""The parts by the field of `Capabilities`: the segment, and the part in English and Chinese."""

SHOWN: dict[str, tuple[str, str, str, str]] = {
    "native": ("native", "in the platform's own form", "原生", "平台自己的形式"),
    "button": ("button", "a button opens it", "按钮", "按下按钮后打开"),
    "message": ("own message", "as a message of its own", "单独消息", "作为单独的消息"),
    "file": ("file", "as a file to download", "文件", "作为可下载的文件"),
    "code": ("code", "as code, with the columns of a table in line", "代码", "作为代码显示，表格的各列对齐"),
    "link": ("link", "as a link, or as its address", "链接", "作为链接或地址"),
    "name": ("name", "the name, as text", "名称", "以文本显示名称"),
    "text": (
        "text",
        "its words; marks that the platform does not know stay",
        "文本",
        "只有文字，平台不认识的标记保留原样",
    ),
    "numbered": (
        "numbered",
        "a numbered line of text; a person sends the number instead of a press",
        "编号文本",
        "带编号的文本行，用户发送编号代替点击",
    ),
    "none": ("nothing", "people see nothing", "无", "不显示"),
}
"""The words of the table and their meanings, in English and Chinese."""


class Language(NamedTuple):
    """The texts of one document. `place` is that of the language in `ROWS` and `SHOWN`."""

    file: str
    place: int
    intro: str
    header: str
    meaning: str
    emoji: str


ENGLISH = Language(
    "capabilities.md",
    0,
    """# Capabilities

[中文](capabilities.zh-CN.md)

This page lists how each platform shows the parts of a reply. A bot writes each reply once: a part that the platform
lacks is shown in another form. See [Writing a bot](writing-a-bot.md#cards-with-fields-menus-and-forms) for the code,
and [Limits](limits.md) for sizes.

The table is for a chat with one person. A webhook of Feishu, and a group chat or robot of WeCom, sends the bot no
presses and no messages. So buttons without an address, menus and forms are left out there. The files
`tests/golden/<platform>/cell_*.json` have the requests of each cell. `python -m tools.make_capabilities` writes this
page from the code.""",
    "| segment | part |",
    "| in the table | meaning |",
    """## Emoji of reactions

Discord takes every Unicode emoji, and its own as `name:id`. Feishu takes its own names, such as `THUMBSUP`, and
these emoji:""",
)
CHINESE = Language(
    "capabilities.zh-CN.md",
    1,
    """# 能力

[English](capabilities.md)

本页列出各平台如何显示回复的各个部分。机器人只需写一次回复：平台没有的部分会换一种形式显示。代码见
[编写机器人](writing-a-bot.zh-CN.md#带字段菜单和表单的卡片)，大小见[上限](limits.zh-CN.md)。

表格针对与单个用户的聊天。飞书的自定义机器人（Webhook）、企业微信的群聊和群机器人不会把点击和消息发给机器人，
因此那里不显示没有地址的按钮、菜单和表单。每个单元格的请求见 `tests/golden/<platform>/cell_*.json`。
本页由 `python -m tools.make_capabilities` 根据代码生成。""",
    "| 消息段 | 部分 |",
    "| 表中的写法 | 含义 |",
    """## 表情回复可用的 emoji

Discord 支持所有 Unicode emoji，也支持自定义 emoji（`name:id`）。飞书支持以下 emoji，也支持飞书自己的表情名（如
`THUMBSUP`）：""",
)


def documents() -> dict[str, str]:
    """The documents by file name."""
    return {language.file: _document(language) for language in (ENGLISH, CHINESE)}


def columns() -> dict[str, Capabilities]:
    """The capabilities by platform, of the platforms that have them."""
    return {name: found for name in NAMES if (found := capabilities(name)) is not None}


def _document(language: Language) -> str:
    return "\n\n".join((language.intro, _meanings(language), _table(language), language.emoji, " ".join(EMOJI))) + "\n"


def _meanings(language: Language) -> str:
    place = 2 * language.place
    rows = (f"| {texts[place]} | {texts[place + 1]} |" for texts in SHOWN.values())
    return "\n".join((language.meaning, "|---|---|", *rows))


def _table(language: Language) -> str:
    platforms = columns()
    titles = " | ".join(content_limits(name).name for name in platforms)
    rows = (
        " | ".join((f"| {segment}", texts[language.place], *_cells(platforms.values(), field, language))) + " |"
        for field, (segment, *texts) in ROWS.items()
    )
    return "\n".join((f"{language.header} {titles} |", "|---" * (len(platforms) + 2) + "|", *rows))


def _cells(platforms: Iterable[Capabilities], field: str, language: Language) -> list[str]:
    return [SHOWN[getattr(each, field)][2 * language.place] for each in platforms]


def main() -> None:
    """Write both files, and print their names."""
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
        print(FOLDER.name + "/" + name)


if __name__ == "__main__":
    main()
