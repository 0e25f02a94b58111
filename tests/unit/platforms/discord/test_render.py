"""Rendering of replies beyond the golden files."""

import pytest

from parley.adapter import UndeliverableError
from parley.model import Audio, Button, Card, File, Image, Link, Markdown, Mention, Other, Text, Video
from parley.platforms.discord import custom_id
from parley.platforms.discord.render import Part, filename, render
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


@pytest.mark.parametrize(
    ("media", "name"),
    [
        (Image(name="chart", mime="image/png"), "chart.png"),
        (Image(name="chart", mime="image/webp"), "chart.webp"),
        (Image(name="v1.2", mime="image/png"), "v1.2.png"),
        (Image(name="chart.png", mime="image/jpeg"), "chart.png"),
        (File(name="report", mime="application/pdf; x=1"), "report.pdf"),
        (File(name="a.tar.gz", mime="application/gzip"), "a.tar.gz"),
        (Audio(name="voice", mime="audio/ogg"), "voice.ogg"),
        (Video(name="clip", mime="video/mp4"), "clip.mp4"),
        (Image(name="chart"), "chart.png"),
        (File(name="README"), "README"),
        (Image(mime="image/png\r\nX: y"), "image.png"),
    ],
)
def test_the_name_of_a_file_has_the_extension_of_its_type(media, name: str) -> None:
    assert filename(media) == name


def test_a_file_without_a_name_is_named_by_its_segment_and_mime_type() -> None:
    assert filename(File(data="x", name="a.pdf")) == "a.pdf"
    assert filename(Image(data="x", mime="image/gif")) == "image.gif"
    assert filename(File(data="x", mime="no/such")) == "file"


def buttons(*made: Button) -> list[dict[str, object]]:
    (part,) = render((Card(title="T", buttons=made),))
    return [button for row in part.rows for button in row["components"]]


def test_two_buttons_with_one_id_are_both_shown_and_mean_the_same() -> None:
    found = buttons(Button(id="a", label="A"), Button(id="a", label="B"), Button(id="a", label="C", value="1"))
    ids = [str(button["custom_id"]) for button in found]
    assert len(set(ids)) == 3
    assert [custom_id.part(id_) for id_ in ids] == [("a", ""), ("a", ""), ("a", "1")]


@pytest.mark.parametrize("label", ["", " ", "\u3000\n"])
def test_a_button_without_a_label_is_labelled_with_its_id(label: str) -> None:
    assert [button["label"] for button in buttons(Button(id="go", label=label))] == ["go"]
    assert buttons(Button(id="", label=label, url="https://example.com"))[0]["label"] == "↗"


def test_a_label_is_counted_in_utf16_units() -> None:
    assert buttons(Button(id="a", label="🐼" * 80))[0]["label"] == "🐼" * 39 + "…"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "https://x.example/" + "a" * 500, "tel:1", "x.example"]
)
def test_an_address_that_no_button_opens_becomes_text(url: str) -> None:
    (part,) = render((Card(text="T", buttons=(Button(id="u", label="Docs", url=url), Button(id="a", label="A"))),))
    assert [button["label"] for row in part.rows for button in row["components"]] == ["A"]
    assert part.embed is not None
    names = [field["name"] for field in part.embed.get("fields", ())]
    assert any(f"Docs {url[:20]}".strip() in text for text in (part.embed["description"], *names))


def test_a_button_beyond_the_limit_is_left_out_and_the_others_stay() -> None:
    found = buttons(Button(id="a", label="A", value="v" * 99), Button(id="", label="B"), Button(id="c", label="C"))
    assert [button["label"] for button in found] == ["C"]


def test_a_card_of_nothing_but_such_a_button_names_the_limit() -> None:
    with pytest.raises(UndeliverableError, match="101 characters together; Discord takes 1 to 100"):
        render((Card(buttons=(Button(id="a" * 101, label="A"),)),))


def bodies(*segments: object) -> list[Part]:
    return list(render(tuple(segments), allow_everyone=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [Text(text="@everyone @here"), Markdown(text="@everyone @here"), Text(text="@every")])
def test_beside_a_mention_of_everyone_no_other_text_notifies_everyone(text: Text) -> None:
    (part,) = bodies(Mention(id="all"), Text(text=" "), text, Text(text="one"), Text(text="\0everyone"))
    assert part.content.count("@everyone") == 1
    assert "@here" not in part.content
    assert part.body()["allowed_mentions"] == {"parse": ["everyone"], "users": []}


@pytest.mark.parametrize("text", [Text(text="@everyone <@6>"), Markdown(text="@everyone <@6>")])
def test_a_mention_notifies_in_its_own_message_only(text: Text) -> None:
    """The words of a person in another message of the reply must not notify everyone because of it."""
    other, mentioned = bodies(text, Card(title="between"), Mention(id="all"), Mention(id="6"))
    assert other.body()["allowed_mentions"] == {"parse": [], "users": []}
    assert mentioned.body()["allowed_mentions"] == {"parse": ["everyone"], "users": ["6"]}


def test_every_part_of_a_long_message_notifies_the_persons_that_it_mentions() -> None:
    words = Text(text="word " * 450)
    first, second = bodies(Mention(id="5"), words, Mention(id="6"))
    assert [part.body()["allowed_mentions"]["users"] for part in (first, second)] == [["5"], ["6"]]


@pytest.mark.parametrize(
    "url", ["ftp://x.example/a", "@everyone <@5> [x](https://e.example)", "https://x.example/a\n# b", ""]
)
def test_a_link_to_another_scheme_is_text(url: str) -> None:
    for link in (Link(url=url, title="t"), Link(url=url, title="t", description="d"), Link(url=url)):
        for part in render((link,)):
            assert part.embed is None
            assert "](" not in part.content.replace("\\[x\\](", "").replace("\\[x](", "")
