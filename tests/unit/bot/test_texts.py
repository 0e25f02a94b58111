"""The texts of the library: in the language of the person, and replaceable."""

from string import Formatter
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Bot, Texts, Turn
from parley.bot.texts import BOTH, CHINESE, ENGLISH, LANGUAGES, texts_for
from parley.model import Context, Message, plain_text
from tests.factories import make_message

NAMES = Texts.__struct_fields__


def message(text: str, locale: str = "", **more: Any) -> Message:
    return make_message("m", text, context=Context(room_id="room", locale=locale), **more)


def said(bot: Bot, text: str, locale: str = "") -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(text, locale)))]


@pytest.mark.parametrize("name", NAMES)
def test_every_text_exists_in_both_languages_with_the_same_words_in_braces(name: str):
    english, chinese = getattr(ENGLISH, name), getattr(CHINESE, name)
    assert english.isascii()
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    places = [{field for _, field, _, _ in Formatter().parse(text) if field} for text in (english, chinese)]
    assert places[0] == places[1]


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("zh-CN", CHINESE),
        ("zh_TW", CHINESE),
        ("zh", CHINESE),
        ("en-US", ENGLISH),
        ("EN", ENGLISH),
        ("fr", BOTH),
        ("", BOTH),
    ],
)
def test_the_language_is_that_of_the_locale(locale: str, texts: Texts):
    assert texts_for(locale, LANGUAGES) is texts


def test_a_person_without_a_locale_reads_both_languages():
    bot = Bot()
    bot.command("purge", admin=True)(lambda: "purged")
    assert said(bot, "/purge") == [f"{CHINESE.not_admin} {ENGLISH.not_admin}"]
    assert said(bot, "/purge", "zh-CN") == [CHINESE.not_admin]
    assert said(bot, "/purge", "en-GB") == [ENGLISH.not_admin]


def test_a_team_replaces_texts_by_language():
    bot = Bot(texts={"de": Texts(missing="{name} fehlt"), "en": Texts(missing="Tell me the {name}.")})
    bot.command("echo")(lambda text: text)
    assert said(bot, "/echo", "de") == ["text fehlt\n/echo TEXT"]
    assert said(bot, "/echo", "en") == ["Tell me the text.\n/echo TEXT"]
    assert said(bot, "/echo", "zh-CN") == ["缺少参数 text\n/echo TEXT"]


def test_the_apology_is_in_the_language_of_the_person_unless_the_team_has_its_own():
    assert Bot().apology_for(message("", "zh-CN")) == CHINESE.apology
    assert Bot().apology_for(message("", "en")) == ENGLISH.apology
    assert Bot().apology_for(message("")) == Bot().apology == BOTH.apology
    assert Bot(apology="Oh.").apology_for(message("", "zh-CN")) == "Oh."
    assert Bot(apology="").apology_for(message("", "zh-CN")) == ""


def test_the_help_of_a_command_is_in_the_language_of_its_translations():
    bot = Bot()
    bot.command("echo", help="Say it back", helps={"zh-CN": "重复一遍", "de": "Wiederholen"})(lambda text: text)
    assert bot.help() == bot.help("fr") == "/echo TEXT  Say it back"
    assert bot.help("zh-CN") == bot.help("zh-TW") == "/echo TEXT  重复一遍"


@pytest.mark.parametrize(
    ("texts", "error", "says"),
    [
        ({"en": "sorry"}, TypeError, r"texts\['en'\] is no Texts: write Texts\(...\)"),
        (
            {"en": Texts(missing="{nam} is missing")},
            ValueError,
            r"texts\['en'\].missing has {nam}; possible are: {name}",
        ),
        ({"en": Texts(not_admin="no, {}")}, ValueError, r"texts\['en'\].not_admin has {}; possible are: none"),
    ],
)
def test_a_wrong_text_is_an_error_when_the_bot_loads(texts: Any, error: type[Exception], says: str):
    with pytest.raises(error, match=says):
        Bot(texts=texts)


def test_a_text_may_leave_out_its_words_in_braces():
    bot = Bot(texts={"zh": replace(CHINESE, missing="请补全参数。")})
    bot.command("echo")(lambda text: text)
    assert said(bot, "/echo", "zh-CN") == ["请补全参数。\n/echo TEXT"]


@pytest.mark.parametrize(
    "name", [name for name in Texts.__struct_fields__ if name not in ("wrong", "choice", "fill_in")]
)
def test_a_person_without_a_known_language_reads_both(name: str):
    both = getattr(BOTH, name)
    assert getattr(CHINESE, name) in both
    assert getattr(ENGLISH, name) in both
    assert getattr(CHINESE, name) != getattr(ENGLISH, name)
