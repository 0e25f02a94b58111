"""Which message stops what runs."""

from typing import Any

import pytest

from parley.model import Command, Context, Message, Sender
from parley.model.stop import is_stop, is_stop_command
from tests.factories import make_message

UNMENTIONED = Context(room_id="room", mentioned=False)


def parsed(name: str, **more: Any) -> Message:
    return make_message("m", "", kind="command", command=Command(name=name, **more))


@pytest.mark.parametrize(
    ("message", "stops", "is_command"),
    [
        (make_message(text="/stop"), True, True),
        (make_message(text=" ／停\n"), True, True),
        (make_message(text="/STOP"), True, True),
        (make_message(text="／ｓｔｏｐ"), True, True),
        (make_message(text="／ＳＴＯＰ\u3000"), True, True),
        (make_message(text="ｓｔｏｐ"), False, False),
        (make_message(text="停"), True, False),
        (parsed("stop"), True, True),
        (parsed("stop", menu="message"), False, False),
        (parsed("stop", focused="what"), False, False),
        (make_message(text="/stop", context=UNMENTIONED), True, True),
        (make_message(text="停", context=UNMENTIONED), False, False),
        (make_message(text="停一下"), False, False),
        (make_message(text="/stop it"), False, False),
        (make_message(text="stop"), False, False),
        (make_message(text="/stop", sender=Sender(id="b", kind="bot")), False, False),
        (make_message(text="/stop", kind="event"), False, False),
    ],
)
def test_it_is_the_command_or_the_plain_word_for_the_bot(message: Message, stops: bool, is_command: bool) -> None:
    assert is_stop(message) is stops
    assert is_stop_command(message) is is_command
