"""Content that real clients send: every word is read once, and no word is added."""

import json
from typing import Any

import pytest

from parley.model import AnySegment, File, Image, Link, Markdown, Mention, Other, Text
from parley.platforms.feishu.mentions import Mentions
from tests.unit.platforms.feishu.test_messages import BOT, mention, message_of

LI = mention("@_user_2", "ou_li", "Li")
HELPER = mention("@_user_1", "ou_bot01", "Helper", "bot")


def post(*lines: list[Any], **more: Any) -> dict[str, Any]:
    return {"title": "", "content": list(lines), **more}


def words(text: str) -> dict[str, str]:
    return {"tag": "text", "text": text}


def segments_of(content: Any, *mentions: dict[str, Any]) -> tuple[AnySegment, ...]:
    return message_of("post", content, mentions=list(mentions)).segments


def text_of(kind: str, content: Any, *mentions: dict[str, Any]) -> str:
    return message_of(kind, content, mentions=list(mentions)).content.text


# --- posts ------------------------------------------------------------------------------------------------------------


def test_the_files_beside_a_post_are_attachments() -> None:
    files = [{"file_key": "file_1", "file_name": "a.pdf"}, {"file_key": "file_2", "file_name": "b.zip"}]
    found = message_of("post", post([words("both")], files=files), mentions=[])
    assert found.content.attachments == (File(key="file_1", name="a.pdf"), File(key="file_2", name="b.zip"))
    assert found.content.text == "both"
    alone = message_of("post", {"files": files}, mentions=[])
    assert (len(alone.content.attachments), alone.content.text) == (2, "")


def test_the_files_in_a_locale_and_of_a_text_are_attachments_too() -> None:
    files = [{"file_key": "file_1", "file_name": "a.pdf"}, {"image_key": "img_1"}, {"nothing": 1}, "x"]
    expected = (File(key="file_1", name="a.pdf"), Image(key="img_1"))
    assert message_of("post", {"zh_cn": post([words("x")], files=files)}).content.attachments == expected
    assert message_of("text", {"text": "x", "files": files}).content.attachments == expected


def test_a_paragraph_without_elements_is_an_empty_line() -> None:
    content = post([words("/note a")], [], [words("b")])
    assert segments_of(content) == (Text(text="/note a\n\nb"),)
    assert text_of("post", content) == "/note a\n\nb"


@pytest.mark.parametrize("empty", [{}, None, "", 0, [], "x"])
def test_an_element_that_is_none_adds_no_words(empty: Any) -> None:
    assert text_of("post", post([words("/note a"), empty])) == "/note a"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("shop.example/1", "http://shop.example/1"),
        ("shop.example/1", "https://shop.example/1/"),
        ("https://shop.example/1", "https://shop.example/1"),
        ("HTTPS://Shop.example/1", "https://shop.example/1"),
        ("shop.example/\u8ba2\u5355", "http://shop.example/%E8%AE%A2%E5%8D%95"),
        ("li@shop.example", "mailto:li@shop.example"),
    ],
)
def test_a_typed_address_is_read_once(typed: str, address: str) -> None:
    content = post([words("/order "), {"tag": "a", "href": address, "text": typed}])
    assert text_of("post", content) == f"/order {typed}"
    assert [part.url for part in segments_of(content) if isinstance(part, Link)] == [address]


def test_a_link_with_words_of_its_own_keeps_both() -> None:
    content = post([{"tag": "a", "href": "https://shop.example/1", "text": "this"}])
    assert text_of("post", content) == "this https://shop.example/1"


def test_a_link_without_an_address_is_its_words() -> None:
    assert segments_of(post([{"tag": "a", "text": "this"}])) == (Text(text="this"),)


def test_an_unknown_element_adds_no_words() -> None:
    content = post([words("/order 1"), {"tag": "hologram", "key": "k"}], [{"tag": "img", "image_key": "img_1"}])
    assert text_of("post", content) == "/order 1"
    assert Other(name="hologram", data={"key": "k"}) in segments_of(content)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("sticker", {"file_key": "f"}),
        ("image", {"image_key": "i"}),
        ("file", {"file_key": "f", "file_name": "/deploy"}),
        ("audio", {"file_key": "f"}),
        ("media", {"file_key": "f"}),
        ("share_chat", {"chat_id": "oc_1"}),
        ("hologram", {"key": "k"}),
    ],
)
def test_a_message_without_words_has_no_text(kind: str, content: Any) -> None:
    assert text_of(kind, content) == ""


@pytest.mark.parametrize("tag", ["md", "text"])
def test_placeholders_in_every_element_are_mentions_so_that_a_command_is_recognised(tag: str) -> None:
    found = message_of("post", post([{"tag": tag, "text": "@_user_1 /deploy for @_user_2"}]), mentions=[HELPER, LI])
    assert found.content.text == "/deploy for @Li"
    assert found.mentions == (BOT, Mention(id="ou_li", name="Li"))


def test_a_mention_tag_in_markdown_is_a_mention() -> None:
    content = post([{"tag": "md", "text": '<at user_id="ou_bot01">Helper</at> **now** <at id=all></at>'}])
    assert segments_of(content, HELPER) == (
        Mention(id="ou_bot01", name="Helper"),
        Markdown(text=" **now** "),
        Mention(id="all"),
    )


def test_an_at_element_without_a_person_adds_no_words() -> None:
    assert text_of("post", post([{"tag": "at"}, words("/x")])) == "/x"


# --- everybody --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "@_all", "id": {"open_id": "", "union_id": "", "user_id": ""}, "name": "@_all"},
        {"key": "@_all", "id": {"open_id": "all"}, "name": "Everyone"},
        {"key": "@_all"},
        {"key": "@_user_3", "id": {"open_id": "all"}, "name": "all"},
    ],
)
def test_all_is_everybody_and_no_person(entry: dict[str, Any]) -> None:
    found = message_of("text", {"text": f"{entry['key']} lunch"}, mentions=[entry])
    assert found.mentions == (Mention(id="all"),)
    assert found.content.text == "@all lunch"
    at = message_of("post", post([{"tag": "at", "user_id": entry["key"], "user_name": "@_all"}]), mentions=[entry])
    assert at.mentions == (Mention(id="all"),)


# --- cards, tasks, votes, notices -------------------------------------------------------------------------------------

CARD_1: dict[str, Any] = {
    "config": {"wide_screen_mode": True},
    "header": {"title": {"tag": "plain_text", "content": "Deploy"}, "subtitle": {"content": "prod"}, "template": "red"},
    "elements": [
        {
            "tag": "div",
            "text": {"tag": "lark_md", "content": "**Release** 1.4"},
            "fields": [{"is_short": True, "text": {"tag": "lark_md", "content": "by Li"}}],
            "extra": {
                "tag": "button",
                "text": {"tag": "plain_text", "content": "More"},
                "url": "https://example.com/m",
            },
        },
        {"tag": "img", "img_key": "img_1", "alt": {"tag": "plain_text", "content": "a chart"}},
        {
            "tag": "column_set",
            "columns": [{"tag": "column", "elements": [{"tag": "markdown", "content": "left"}]}, {"tag": "column"}],
        },
        {
            "tag": "action",
            "actions": [
                {"tag": "button", "text": {"tag": "plain_text", "content": "Yes"}, "value": {"secret": "hidden"}},
                {"tag": "select_static", "options": [{"text": {"content": "blue"}, "value": "b"}]},
            ],
        },
        {"tag": "note", "elements": [{"tag": "plain_text", "content": "by the pipeline"}]},
    ],
}
CARD_2: dict[str, Any] = {
    "schema": "2.0",
    "header": {"title": {"tag": "plain_text", "content": "Deploy"}},
    "body": {
        "elements": [
            {"tag": "markdown", "content": "see [log](https://example.com/log)"},
            {"tag": "collapsible_panel", "header": {"title": {"content": "Details"}}, "elements": [{"content": "in"}]},
            {
                "tag": "button",
                "text": {"tag": "plain_text", "content": "Log"},
                "behaviors": [{"type": "open_url", "default_url": "https://example.com/log"}],
            },
            {"tag": "table", "columns": [{"name": "c", "display_name": "Name"}], "rows": [{"c": "Li"}, {"c": 7}]},
        ]
    },
}
WORDS_2 = "Deploy\nsee [log](https://example.com/log)\nDetails\nin\nLog https://example.com/log\nLi\n7\nName"


def test_a_card_in_source_form_keeps_its_words() -> None:
    assert text_of("interactive", CARD_1).split("\n") == [
        "Deploy",
        "prod",
        "**Release** 1.4",
        "by Li",
        "More https://example.com/m",
        "a chart",
        "left",
        "Yes",
        "blue",
        "by the pipeline",
    ]


@pytest.mark.parametrize("content", [CARD_2, {"json_card": json.dumps(CARD_2)}, {"user_dsl": json.dumps(CARD_2)}])
def test_a_card_of_version_2_keeps_its_words(content: Any) -> None:
    assert text_of("interactive", content) == WORDS_2


def test_the_first_language_of_a_card_stands_for_all() -> None:
    content = {
        "i18n_elements": {"zh_cn": [{"tag": "markdown", "content": "\u4f60\u597d"}], "en_us": [{"content": "hi"}]}
    }
    assert text_of("interactive", content) == "\u4f60\u597d"


def test_a_simplified_card_keeps_its_links_and_mentions() -> None:
    row = [{"tag": "text", "text": "see"}, {"tag": "a", "text": "log", "href": "https://example.com"}]
    content = {"title": "T", "elements": [[*row, {"tag": "at", "user_id": "ou_1", "user_name": "Li"}]]}
    assert text_of("interactive", content) == "T\nsee\nlog https://example.com\n@Li"


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("todo", {"summary": {"title": "", "content": [[words("buy ")], [words("milk")]]}}, "buy \nmilk"),
        ("todo", {"summary": "buy milk"}, "buy milk"),
        ("vote", {"topic": "Lunch?", "options": ["rice", {"content": "soup"}]}, "Lunch?\nrice\nsoup"),
        (
            "system",
            {"template": "{from_user} invited {to_chatters}.", "from_user": ["Li"], "to_chatters": ["A", "B"]},
            "Li invited A, B.",
        ),
        ("system", {"template": "{from_user} left", "from_user": []}, "left"),
        ("system", {"template": "", "divider_text": {"text": "New topic"}}, "New topic"),
        ("share_calendar_event", {"summary": "Meeting", "start_time": "1608265395000"}, "Meeting"),
        ("video_chat", {"topic": "Standup", "start_time": "1608265395000"}, "Standup"),
    ],
)
def test_other_types_keep_their_words(kind: str, content: Any, expected: str) -> None:
    assert text_of(kind, content) == expected


def test_of_many_placeholders_the_longest_wins_and_a_very_long_one_is_text() -> None:
    """The search stays linear for any input."""
    names = {"@_user_1": "ou_1", "@_user_12": "ou_12", "@" + "x" * 60: "ou_x"}
    entries = [{"key": key, "id": {"open_id": id_}, "name": id_} for key, id_ in names.items()]
    mentions = Mentions.of(entries, "ou_bot")
    found = mentions.in_text("@_user_12 @_user_1 @_all @_user_2 @" + "x" * 60)
    assert [segment.id for segment in found if isinstance(segment, Mention)] == ["ou_12", "ou_1", "all"]
    assert found[-1] == Text(text=" @_user_2 @" + "x" * 60)
    assert Mentions.of([], "").in_text("hi @_all") == [Text(text="hi "), Mention(id="all"), Text(text="")]
