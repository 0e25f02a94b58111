"""Replies as Discord messages; the usual cases are golden files."""

from parley.model import Button, Card, File, Image, Link, Markdown, Mention, Other, Text
from parley.platforms.discord.render import filename, render
from parley.text import utf16_size


def test_a_long_text_before_a_card_leaves_the_card_to_its_last_part() -> None:
    found = render((Text(text="word " * 500), Card(title="Done")))
    assert [bool(part.embed) for part in found] == [False, True]
    assert all(utf16_size(part.content) <= 2000 for part in found)


def test_a_card_with_a_long_text_is_several_embeds_and_the_buttons_come_last() -> None:
    card = Card(title="T", text="word " * 2000, buttons=(Button(id="a", label="A"),))
    found = render((card,))
    assert len(found) == 3
    assert [part.embed and part.embed.get("title") for part in found] == ["T", None, None]
    assert [bool(part.rows) for part in found] == [False, False, True]
    assert all(part.embed and utf16_size(part.embed["description"]) <= 4096 for part in found)


def test_more_buttons_than_a_message_takes_go_on_in_the_next() -> None:
    buttons = tuple(Button(id=str(number), label="x" * 100) for number in range(27))
    first, second = render((Card(title="Many", buttons=buttons),))
    assert [len(row["components"]) for row in first.rows] == [5, 5, 5, 5, 5]
    assert [len(row["components"]) for row in second.rows] == [2]
    assert all(len(button["label"]) == 80 for row in first.rows for button in row["components"])


def test_each_part_notifies_only_whom_it_mentions() -> None:
    first, second = render((Mention(id="1"), Text(text=" " + "word " * 500), Mention(id="2")))
    assert first.body()["allowed_mentions"] == {"parse": [], "users": ["1"]}
    assert second.body()["allowed_mentions"] == {"parse": [], "users": ["2"]}


def test_everyone_is_notified_only_where_the_app_allows_it_and_a_segment_says_it() -> None:
    everyone = Mention(id="all")
    (allowed,) = render((everyone,), allow_everyone=True)
    (refused,) = render((everyone,))
    (echoed,) = render((Text(text="@everyone"), Markdown(text="@everyone <@&5> <@6>")), allow_everyone=True)
    assert allowed.body()["allowed_mentions"] == {"parse": ["everyone"], "users": []}
    assert refused.body()["allowed_mentions"] == {"parse": [], "users": []}
    assert echoed.body()["allowed_mentions"] == {"parse": [], "users": []}


def test_a_card_of_nothing_is_nothing() -> None:
    assert render((Card(), Text(text=""))) == ()


def test_a_handle_of_another_message_is_no_picture_for_an_embed() -> None:
    (card,) = render((Card(title="x", image="1442001230000000009"),))
    assert card.embed == {"title": "x"}
    (link,) = render((Link(url="https://example.com", title="x", image="img_1"),))
    assert (link.embed, link.content) == (None, "[x](https://example.com)")


def test_a_preview_without_a_title_is_titled_by_its_address() -> None:
    (part,) = render((Link(url="https://example.com/a_b", image="https://example.com/p.png"),))
    assert part.embed == {
        "title": "https://example.com/a_b",
        "url": "https://example.com/a_b",
        "thumbnail": {"url": "https://example.com/p.png"},
    }


def test_a_title_that_is_too_long_is_cut() -> None:
    (part,) = render((Card(title="t" * 300),))
    assert part.embed is not None
    assert part.embed["title"] == "t" * 255 + "…"


def test_a_role_or_channel_that_came_in_goes_out_as_its_name() -> None:
    (part,) = render((Other(name="role", text="@editors", data={"id": "2"}),))
    assert part.content == "@editors"


def test_a_file_is_named_by_its_name_else_by_its_kind_and_type() -> None:
    assert filename(File(data="x", name="a.pdf")) == "a.pdf"
    assert filename(Image(data="x", mime="image/gif")) == "image.gif"
    assert filename(File(data="x", mime="no/such")) == "file"
