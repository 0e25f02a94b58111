"""The message on which a menu entry is used: forwards, embeds, Components V2, polls and stickers."""

from typing import Any

import pytest

from parley.model import Image, Mention, Message, Quote
from parley.platforms.discord.interaction import message_of
from tests.conformance.adapters.discord import APP, FILE, KAI, attachment, on_message


def on(**content: Any) -> Message:
    """The message for a menu entry on a message with this content and no other."""
    body = on_message()
    (target,) = body["data"]["resolved"]["messages"].values()
    target |= {"content": "", "mentions": [], "attachments": []} | content
    return message_of(body, APP)


PICTURE = {"url": "https://cdn.example/p.png?ex=1", "content_type": "image/png", "attachment_id": "9"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"embeds": [{"type": "rich", "title": "Build", "description": "**failed**"}]}, "Build\n**failed**"),
        ({"embeds": [{"description": "d"}, {"title": "t"}]}, "d\nt"),
        (
            {
                "embeds": [
                    {"author": {"name": "CI"}, "fields": [{"name": "On", "value": "main"}], "footer": {"text": "f"}}
                ]
            },
            "CI\nOn: main\nf",
        ),
        ({"content": "see https://x.example", "embeds": [{"type": "link", "title": "X"}]}, "see https://x.example"),
        ({"embeds": [{"type": "article", "title": "X", "url": "https://x.example"}]}, "X"),
        (
            {
                "embeds": [
                    {
                        "type": "poll_result",
                        "fields": [
                            {"name": "poll_question_text", "value": "Tea?"},
                            {"name": "total_votes", "value": "3"},
                        ],
                    }
                ]
            },
            "Tea?",
        ),
        (
            {
                "poll": {
                    "question": {"text": "Tea?"},
                    "answers": [{"poll_media": {"text": "Yes"}}, {"poll_media": {"emoji": {"name": "x"}}}],
                }
            },
            "Tea?\n- Yes",
        ),
        ({"sticker_items": [{"id": "1", "name": "Wave", "format_type": 1}]}, "[Wave]"),
        ({"content": "hi", "sticker_items": [{"id": "1", "name": "Wave"}]}, "hi\n[Wave]"),
        ({"components": [{"type": 10, "content": "# Title"}]}, "# Title"),
        (
            {
                "components": [
                    {
                        "type": 17,
                        "components": [
                            {"type": 9, "components": [{"type": 10, "content": "a"}]},
                            {"type": 10, "content": "b"},
                        ],
                    }
                ]
            },
            "a\nb",
        ),
        ({"components": [{"type": 1, "components": [{"type": 2, "label": "Yes"}]}]}, ""),
        ({"message_snapshots": [{"message": {"content": "forwarded"}}]}, "forwarded"),
        ({"message_snapshots": [{"message": {"content": "", "embeds": [{"title": "E"}]}}]}, "E"),
        (
            {"message_snapshots": [{"message": {"sticker_items": [{"name": "S"}]}}, {"message": {"content": "b"}}]},
            "[S]\nb",
        ),
        ({"message_snapshots": [{"message": {"components": [{"type": 10, "content": "c"}]}}]}, "c"),
        ({"message_snapshots": [{"message": {"poll": {"question": {"text": "q"}}}}]}, "q"),
    ],
)
def test_every_kind_of_content_has_its_text(content: dict[str, Any], text: str) -> None:
    message = on(**content)
    assert message.content.text == text
    assert message.segments[0] == Quote(message_id="1441990000000000007", text=text)


def test_people_in_a_forward_are_mentioned() -> None:
    message = on(message_snapshots=[{"message": {"content": f"hi <@{KAI['id']}>", "mentions": [KAI]}}])
    assert message.content.text == "hi @Kai"
    assert message.mentions == (Mention(id=KAI["id"], name="Kai"),)


@pytest.mark.parametrize(
    "content",
    [
        {"message_snapshots": [{"message": {"attachments": [attachment(FILE, "p.png", "image/png")]}}]},
        {"components": [{"type": 12, "items": [{"media": PICTURE}]}]},
        {"components": [{"type": 9, "components": [], "accessory": {"type": 11, "media": PICTURE}}]},
        {"components": [{"type": 17, "components": [{"type": 13, "file": PICTURE, "name": "p.png", "size": 3}]}]},
    ],
)
def test_files_of_forwards_and_components_are_attachments(content: dict[str, Any]) -> None:
    (found,) = on(**content).content.attachments
    assert isinstance(found, Image)
    assert (found.name, found.mime) == ("p.png", "image/png")


def test_a_file_that_a_component_shows_is_attached_once() -> None:
    sent = attachment(FILE, "p.png", "image/png")
    shown = {"type": 13, "file": {"url": sent["url"], "attachment_id": FILE}}
    assert len(on(attachments=[sent], components=[shown]).content.attachments) == 1
    assert on(components=[{"type": 13, "file": {"url": "attachment://p.png"}}]).content.attachments == ()


def test_components_of_any_depth_end() -> None:
    deep: dict[str, Any] = {"type": 10, "content": "x"}
    for _ in range(60):
        deep = {"type": 17, "components": [deep]}
    assert on(components=[deep]).content.text == ""
