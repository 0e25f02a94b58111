"""Rendering of replies beyond the golden files."""

from parley.model import Button, Card, File, Image, Link, Markdown, Mention, Other, Text
from parley.platforms.discord.render import filename, render
from parley.text import utf16_size


def test_the_last_part_of_a_long_text_has_the_card() -> None:
    found = render((Text(text="word " * 500), Card(title="Done")))
    assert [bool(part.embed) for part in found] == [False, True]
    assert all(utf16_size(part.content) <= 2000 for part in found)


def test_a_card_with_a_long_text_becomes_several_embeds_with_the_buttons_last() -> None:
    card = Card(title="T", text="word " * 2000, buttons=(Button(id="a", label="A"),))
    found = render((card,))
    assert len(found) == 3
    assert [part.embed and part.embed.get("title") for part in found] == ["T", None, None]
    assert [bool(part.rows) for part in found] == [False, False, True]
    assert all(part.embed and utf16_size(part.embed["description"]) <= 4096 for part in found)


def test_buttons_that_exceed_a_message_continue_in_the_next() -> None:
    buttons = tuple(Button(id=str(number), label="x" * 100) for number in range(27))
    first, second = render((Card(title="Many", buttons=buttons),))
    assert [len(row["components"]) for row in first.rows] == [5, 5, 5, 5, 5]
    assert [len(row["components"]) for row in second.rows] == [2]
    assert all(len(button["label"]) == 80 for row in first.rows for button in row["components"])


def test_each_part_notifies_only_the_people_that_it_mentions() -> None:
    first, second = render((Mention(id="1"), Text(text=" " + "word " * 500), Mention(id="2")))
    assert first.body()["allowed_mentions"] == {"parse": [], "users": ["1"]}
    assert second.body()["allowed_mentions"] == {"parse": [], "users": ["2"]}


def test_everyone_is_notified_only_by_a_mention_segment_and_if_allowed() -> None:
    everyone = Mention(id="all")
    (allowed,) = render((everyone,), allow_everyone=True)
    (refused,) = render((everyone,))
    (echoed,) = render((Text(text="@everyone"), Markdown(text="@everyone <@&5> <@6>")), allow_everyone=True)
    assert allowed.body()["allowed_mentions"] == {"parse": ["everyone"], "users": []}
    assert refused.body()["allowed_mentions"] == {"parse": [], "users": []}
    assert echoed.body()["allowed_mentions"] == {"parse": [], "users": []}


def test_an_empty_card_makes_no_message() -> None:
    assert render((Card(), Text(text=""))) == ()


def test_an_embed_shows_only_images_with_a_web_address() -> None:
    (card,) = render((Card(title="x", image="1442001230000000009"),))
    assert card.embed == {"title": "x"}
    (link,) = render((Link(url="https://example.com", title="x", image="img_1"),))
    assert (link.embed, link.content) == (None, "[x](https://example.com)")


def test_a_link_preview_without_a_title_has_its_address_as_title() -> None:
    (part,) = render((Link(url="https://example.com/a_b", image="https://example.com/p.png"),))
    assert part.embed == {
        "title": "https://example.com/a_b",
        "url": "https://example.com/a_b",
        "thumbnail": {"url": "https://example.com/p.png"},
    }


def test_a_long_title_is_shortened() -> None:
    (part,) = render((Card(title="t" * 300),))
    assert part.embed is not None
    assert part.embed["title"] == "t" * 255 + "…"


def test_a_role_segment_is_sent_as_its_name() -> None:
    (part,) = render((Other(name="role", text="@editors", data={"id": "2"}),))
    assert part.content == "@editors"


def test_a_file_without_a_name_is_named_by_its_segment_and_mime_type() -> None:
    assert filename(File(data="x", name="a.pdf")) == "a.pdf"
    assert filename(Image(data="x", mime="image/gif")) == "image.gif"
    assert filename(File(data="x", mime="no/such")) == "file"
