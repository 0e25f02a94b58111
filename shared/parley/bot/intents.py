"""Reads the definition of an intent, and says what is wrong with it where the bot is loaded."""

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from parley.bot.handlers import Handler, IntentHandler, place_of
from parley.bot.rules import Rule
from parley.bot.slots import is_slot
from parley.bot.tables import check_settings
from parley.bot.zones import day_of
from parley.intents.features import LONGEST, words


class IntentSettings(TypedDict):
    """The settings of `@bot.intent(name, ...)`.

    `examples` are texts of people, in all of their languages. `labels` show the intent to people, by language
    (`{"en": ..., "zh": ...}`); the default is the first example. `zone` is the time zone whose day "today" is;
    the default is that of the bot.
    """

    examples: Iterable[str]
    labels: NotRequired[Mapping[str, str]]
    zone: NotRequired[str]
    when: NotRequired[Rule | None]


def intent_handler(handler: Handler, name: str, settings: IntentSettings) -> IntentHandler:
    """The intent `name`. Raises TypeError or ValueError if its definition is wrong."""
    check_settings("intent", settings, IntentSettings)
    place = place_of(handler)
    examples, labels = settings["examples"], settings.get("labels", {})
    zone, when = settings.get("zone", ""), settings.get("when")
    if not name or name.split() != [name]:
        raise ValueError(f'{place}: the name of an intent is one word: @bot.intent("weather", examples=[...])')
    if isinstance(examples, str):
        raise TypeError(f"{place}: write examples=[{examples!r}, ...]")
    texts = tuple(examples)
    _check_examples(place, texts)
    if zone:
        _check_zone(place, zone)
    known = {language.lower(): label for language, label in labels.items()}
    intent = IntentHandler.of(
        handler, when, listens=True, registered=f"intent {name}", name=name, examples=texts, labels=known, zone=zone
    )
    _check_slots(place, intent)
    return intent


def _check_examples(place: str, examples: tuple[str, ...]) -> None:
    if not examples:
        raise ValueError(f'{place}: an intent needs examples, about ten: examples=["will it rain", "会下雨吗", ...]')
    for each in examples:
        if len(each) > LONGEST:
            raise ValueError(f"{place}: the example {each[:20]!r}... has {len(each)} characters; at most {LONGEST}")
        if not words(each):
            raise ValueError(f"{place}: the example {each!r} has no words; write a sentence of a person")


def _check_zone(place: str, zone: str) -> None:
    try:
        day_of(0, zone)
    except ValueError as error:
        raise ValueError(f'{place}: no time zone {zone!r}; write zone="Asia/Shanghai"') from error


def _check_slots(place: str, intent: IntentHandler) -> None:
    for parameter in intent.signature.parameters:
        name = parameter.name
        if not is_slot(parameter.type):
            raise TypeError(
                f"{place}: {name} is no slot; slots are dates, durations, numbers, choices and persons. "
                "Read the whole text with `message: Message`"
            )
        if parameter.required:
            raise TypeError(
                f"{place}: the slot {name} may be missing in a text; give it a default, such as `= None`, "
                f"and ask for it: {name} = yield Ask(...)"
            )
