"""The limits of a platform for the content of replies, commands and forms: the columns of docs/limits.md.

Rate limits are in `parley.adapter.limits`.
"""

import sys
from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from parley.model import Button, Card, Destination, Message, Reply, Select
from parley.model.instant import Form, Instant

Unit = Literal["", "characters", "bytes"]
"""Empty for a number of things. Bytes are those of UTF-8, or of the JSON of a request."""

Beyond = Literal[
    "error", "refused", "continued", "shortened", "text", "numbered", "left out", "ordinary handler", "registration"
]
"""What Parley does with more:

* `error`: nothing can mend it, so the handler fails (`parley.errors.ResultError`).
* `refused`: the person reads so, and nothing of the turn is stored (`parley.errors.LimitError`).
* `continued`: the rest follows in further messages.
* `shortened`: it is cut, with "…" at its end where it is a title or a label.
* `text`: it is shown as text, media with their address.
* `numbered`: it is a numbered line of text, whose number a person sends (`parley.bot.numbered`).
* `left out`: it is not offered, and all others are.
* `ordinary handler`: the form is not opened, and the handler of the command or button runs.
* `registration`: `parley discord register` refuses the command.
"""


class Maximum(NamedTuple):
    """At most `most` of `unit`, and what Parley does with more."""

    most: int
    unit: Unit
    beyond: Beyond


NO_LIMIT = Maximum(sys.maxsize, "", "error")
"""The platform has no such thing, or documents no limit for it."""


class ContentLimits(NamedTuple):
    """The limits of one platform."""

    name: str
    """The platform's own name."""
    text: Maximum = NO_LIMIT
    """One message of plain text."""
    markdown: Maximum = NO_LIMIT
    """One message with Markdown."""
    webhook: Maximum = NO_LIMIT
    """One message with Markdown to a group's webhook or robot."""
    card: Maximum = NO_LIMIT
    """A whole card."""
    card_without_text: Maximum = NO_LIMIT
    """A card with one button, without its text."""
    card_title: Maximum = NO_LIMIT
    card_text: Maximum = NO_LIMIT
    buttons: Maximum = NO_LIMIT
    """Buttons of one card."""
    edited_buttons: Maximum = NO_LIMIT
    """Buttons of a card that replaces the one that was pressed."""
    button_label: Maximum = NO_LIMIT
    button_key: Maximum = NO_LIMIT
    """Id and value of one button together, as the platform gets them."""
    button_url: Maximum = NO_LIMIT
    card_fields: Maximum = NO_LIMIT
    """Fields of one card."""
    field_value: Maximum = NO_LIMIT
    """The value of one field."""
    selects: Maximum = NO_LIMIT
    """Menus of one card."""
    menu_choices: Maximum = NO_LIMIT
    """Choices of one menu of a card."""
    links: Maximum = NO_LIMIT
    """Links with a description or picture in one message."""
    thread_name: Maximum = NO_LIMIT
    image: Maximum = NO_LIMIT
    audio: Maximum = NO_LIMIT
    video: Maximum = NO_LIMIT
    file: Maximum = NO_LIMIT
    commands: Maximum = NO_LIMIT
    menu_entries: Maximum = NO_LIMIT
    """Entries of the context menu of messages, and of that of persons."""
    command_name: Maximum = NO_LIMIT
    """One word of a command's name, or the name of an option."""
    menu_name: Maximum = NO_LIMIT
    command_help: Maximum = NO_LIMIT
    """The help of a command or of an option."""
    command_size: Maximum = NO_LIMIT
    """All names, help texts and choices of one command."""
    options: Maximum = NO_LIMIT
    """Options of one command, or sub-commands below one word."""
    choices: Maximum = NO_LIMIT
    """Choices of an option."""
    completions: Maximum = NO_LIMIT
    """Choices of a completion or of an input of a form."""
    choice_label: Maximum = NO_LIMIT
    choice_value: Maximum = NO_LIMIT
    """A completion, or a choice of an input of a form."""
    inputs: Maximum = NO_LIMIT
    """Inputs of one form."""
    form_title: Maximum = NO_LIMIT
    input_id: Maximum = NO_LIMIT
    input_label: Maximum = NO_LIMIT
    input_help: Maximum = NO_LIMIT
    """The help of an input, or its placeholder."""
    input_text: Maximum = NO_LIMIT
    """The text that a person enters: a larger `max_length` is this one."""


Element = Select | Form | Button
"""A part of a card that a person presses, chooses from or fills in."""


class Checks(Protocol):
    """The functions of `parley.platforms.<name>.checks`: what a reply may not hold because no fallback mends it."""

    def problems(self, reply: Reply, to: Destination) -> Iterable[str]:
        """Why the platform would lose a part of `reply` to `to`: one sentence each, which names the part, the limit and
        the platform, and holds no text but the labels of buttons. Called for replies with cards only.
        """
        ...

    def as_text(self, card: Card, to: Destination) -> Iterable[Element]:
        """The elements of `card` that `to` cannot show, in their order, if a person there can send a number instead of
        a press. Parley replaces them by numbered lines of text (`parley.bot.numbered`).
        """
        ...


@runtime_checkable
class HasDirectRooms(Protocol):
    """A `checks` module of a platform on which the chat of one person with the bot has the id of a room, too."""

    DIRECT_ROOMS: bool


@runtime_checkable
class AnswersOnly(Protocol):
    """A `checks` module of a platform on which a bot cannot write first: each reply needs the reply token of a message
    (`Context.reply_token`), also a reminder.
    """

    ANSWERS_ONLY: bool


@runtime_checkable
class SendsEdits(Protocol):
    """A `checks` module of a platform on which people read an edit of a card as a new message, or its words."""

    SENDS_EDITS: bool


@runtime_checkable
class HasReadableIds(Protocol):
    """A `checks` module of a platform whose ids of persons are known to the people there, as those of WeCom are."""

    READABLE_IDS: bool


@runtime_checkable
class ComparesPersons(Protocol):
    """A `checks` module of a platform that writes the id of one person in several ways."""

    def person_id(self, id_: str) -> str:
        """The same text for every way to write the id of one person: to compare with, never to send or store."""
        ...


@runtime_checkable
class NamesSeveralPersons(Protocol):
    """A `checks` module of a platform where `Destination.user_id` can name several persons."""

    def is_receiver(self, user_id: str, person: str) -> bool:
        """Whether what is sent to `user_id` can reach this person."""
        ...


@runtime_checkable
class ChecksInstantAnswers(Protocol):
    """A `checks` module of a platform that `SupportsInstantAnswers`."""

    def instant_problems(self, message: Message, result: Instant) -> Iterable[str]:
        """Why the platform could not show `result`, the bot's instant answer to `message`: as `Checks.problems`."""
        ...
