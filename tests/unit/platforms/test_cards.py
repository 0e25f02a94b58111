"""Cards with every element and any text: each platform's imitation accepts them, and nothing is markup."""

import json
import warnings
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import Button, Card, CardField, Destination, Outgoing, Reply, Select
from parley.model.instant import Choice, Form, Input
from parley.platforms import NAMES, checks, outbound
from parley.platforms.discord.embeds import embeds
from parley.platforms.discord.instant import answer_json
from parley.platforms.discord.render import render
from parley.platforms.feishu.cards import card_json
from parley.platforms.feishu.render import CHAT, Rendered, parts
from parley.platforms.wecom.cards import card_messages
from parley.platforms.wecom.menus import shows_form, shows_select
from parley.text import utf16_size
from playground.platforms.discord import modals, payload
from playground.platforms.feishu.cards import check_card
from playground.platforms.wecom import cards as wecom_cards
from tests.conformance.kit import adapters, answered_by
from tests.factories import make_message
from tests.linear import assert_linear

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # lark's protobuf, on Python 3.12 and later
    from lark_oapi.channel.card.builder import new_card


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
MARKUP = ["<at id=all></at>", "[x](https://e.example)", "# big\n|a|b|\n|-|-|", "@everyone", "w" * 3000]
LONG = TEXT | st.sampled_from(MARKUP)
IDS = st.text("abc=+?%é", min_size=1, max_size=8)
CHOICES = st.lists(st.builds(Choice, TEXT, IDS), min_size=1, max_size=12, unique_by=lambda each: each.value).map(tuple)
FIELDS = st.lists(st.builds(CardField, label=LONG, value=LONG, short=st.booleans()), max_size=30).map(tuple)
INPUT = st.builds(
    Input,
    id=IDS,
    label=st.text("abc ", min_size=1, max_size=50).filter(str.strip),
    kind=st.sampled_from(["line", "paragraph", "choice", "date"]),
    help=TEXT,
    placeholder=TEXT,
    required=st.booleans(),
    choices=CHOICES,
)
FORM = st.builds(
    Form,
    id=IDS,
    title=st.text("abc ", min_size=1, max_size=50).filter(str.strip),
    inputs=st.lists(INPUT, min_size=1, max_size=5, unique_by=lambda field: field.id).map(tuple),
    value=TEXT,
    submit=TEXT,
)
CARDS = st.builds(
    Card,
    title=TEXT,
    text=LONG,
    fields=FIELDS,
    selects=st.lists(st.builds(Select, id=IDS, label=TEXT, choices=CHOICES, value=TEXT), max_size=6).map(tuple),
    form=st.none() | FORM,
    buttons=st.lists(st.builds(Button, id=IDS, label=TEXT, value=TEXT), max_size=7).map(tuple),
)


def is_valid(platform: str, card: Card) -> bool:
    to = Destination(platform=platform, app="demo", user_id="1")
    return not list(checks(platform).problems(Reply(segments=(card,)), to))


@settings(max_examples=40)
@given(CARDS)
def test_discord_accepts_every_card_that_has_no_problem(card: Card) -> None:
    if is_valid("discord", card):
        for part in render((card,)):
            payload.check(payload.Payload(json.loads(json.dumps(part.body()))))


@settings(max_examples=40)
@given(CARDS)
def test_feishu_accepts_every_card_that_has_no_problem(card: Card) -> None:
    if is_valid("feishu", card):
        for part in parts((card,), CHAT):
            assert isinstance(part, Rendered)
            if part.kind == "interactive":
                check_card(json.dumps(part.content))


@settings(max_examples=40)
@given(CARDS)
def test_wecom_accepts_every_card_that_has_no_problem(card: Card) -> None:
    if is_valid("wecom", card):
        for message in card_messages(card, "task", interactive=True):
            if message.kind == "template_card":
                wecom_cards.check(message.content)


@settings(max_examples=40)
@given(FORM)
def test_discord_opens_every_form_that_has_no_problem(form: Form) -> None:
    message = make_message(platform="discord")
    if is_valid("discord", Card(form=form)):
        assert modals.is_modal(answer_json(message, form)["data"])


@pytest.mark.parametrize("text", ["<at id=all></at>", "**b**", "[x](https://e.example)", "# h", "|a|b|\n|-|-|", "`c`"])
def test_a_field_of_feishu_is_plain_text(text: str) -> None:
    content = card_json(Card(fields=(CardField(label=text, value=text),)), "")
    (row,) = content["body"]["elements"]
    shown = [element["text"] for element in row["columns"][0]["elements"]]
    assert [(each["tag"], each["content"]) for each in shown] == [("plain_text", text)] * 2


def test_a_menu_of_feishu_is_that_of_its_own_sdk() -> None:
    select = Select(id="size", label="Size", choices=(Choice("Small", "s"), Choice("Large", "l")))
    ours = card_json(Card(selects=(select,)), "")["body"]["elements"]
    options = [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]
    (theirs,) = new_card().select("Size", options=options).to_dict()["body"]["elements"]
    assert [{name: value for name, value in element.items() if name != "behaviors"} for element in ours] == [theirs]


def test_fields_beyond_one_embed_are_in_the_next() -> None:
    fields = tuple(CardField(label=f"{number}", value="v" * 500) for number in range(30))
    found = list(embeds(Card(title="T", text="x", fields=fields), (), ""))
    assert [field["name"] for embed in found for field in embed["fields"]] == [str(number) for number in range(30)]
    for embed in found:
        texts = [embed.get("title", ""), embed.get("description", "")]
        texts += [text for field in embed["fields"] for text in (field["name"], field["value"])]
        assert sum(map(utf16_size, texts)) <= 6000


def test_a_field_that_is_too_long_for_discord_is_text() -> None:
    (embed,) = embeds(Card(fields=(CardField(label="L", value="v" * 1025),)), (), "")
    assert embed == {"description": f"L: {'v' * 1025}"}


def test_fields_that_wecom_would_cut_off_are_text() -> None:
    def message(value: str, many: int = 1) -> list[Any]:
        fields = (CardField(label="L", value=value),) * many
        card = Card(title="T", fields=fields, buttons=(Button(id="a", label="A"),))
        return [each.content for each in card_messages(card, "task", interactive=True)]

    (card,) = message("v" * 26)
    assert card["horizontal_content_list"] == [{"keyname": "L", "value": "v" * 26}]
    for long in (message("v" * 27), message("v", 7), message("a\nb"), message("")):
        assert all("horizontal_content_list" not in each for each in long)
        assert "L" in repr(long)


def test_wecom_shows_menus_of_20_choices_and_forms_of_three_short_ones() -> None:
    def choices(many: int, value: str = "") -> tuple[Choice, ...]:
        return tuple(Choice(f"C{number}", f"{value}{number}") for number in range(many))

    assert shows_select(Select(id="a", label="A", choices=choices(20)))
    assert not shows_select(Select(id="a", label="A", choices=choices(21)))
    assert not shows_select(Select(id="a", label="A", choices=choices(2, "v" * 128)))
    assert not shows_select(Select(id="a", label="A", choices=choices(1) * 2))
    menus = [Input(id=str(number), label="I", kind="choice", choices=choices(10)) for number in range(4)]
    assert shows_form(Form(id="f", title="F", inputs=tuple(menus[:3])))
    assert not shows_form(Form(id="f", title="F", inputs=tuple(menus)))
    assert not shows_form(Form(id="f", title="F", inputs=(Input(id="x", label="X"),)))


@pytest.mark.parametrize("platform", NAMES)
def test_the_time_to_render_is_linear_in_the_text_of_a_field(platform: str) -> None:
    to = msgspec.convert({"platform": platform, "app": "demo", **answered_by(platform)}, Destination)

    def render_field(text: str) -> None:
        card = Card(fields=(CardField(label=text, value=text),), buttons=(Button(id="a", label="A"),))
        out = Outgoing(id="1", message_key="", ordinal=0, to=to, reply=Reply(segments=(card,)), created=0)
        next(outbound(platform).deliver(out, adapters()[platform].app, 0))

    assert_linear(render_field, lambda size: "<at [x](" * size, small=1000, large=8000)
