"""The credential of a message, for the bot."""

import pytest

from parley.bot import CredentialError, Turn
from parley.model import Content, Context, Message, Sender

EXPIRES = 1_800_000_600


def turn(token: str = "sealed", now: float = EXPIRES - 1, **more: object) -> Turn:
    message = Message(
        id="m1",
        platform="wecom",
        app="demo",
        kind="event",
        event="kf_msg_or_event",
        sender=Sender(id="sys", kind="system"),
        content=Content(),
        timestamp=EXPIRES - 600,
        context=Context(reply_token=token, reply_token_expires=EXPIRES if token else 0),
    )
    return Turn(message, now=now, **more)  # type: ignore[arg-type]


def test_a_turn_reads_the_credential_of_its_message() -> None:
    assert turn(unseal=lambda message: f"clear {message.context.reply_token}").credential() == "clear sealed"


def test_a_message_without_a_credential_has_none() -> None:
    with pytest.raises(CredentialError, match="came without a credential"):
        turn("").credential()


@pytest.mark.parametrize("late", [0, 60])
def test_an_expired_credential_is_not_read(late: int) -> None:
    with pytest.raises(CredentialError, match=f"expired {late} s ago"):
        turn(now=EXPIRES + late).credential()


def test_a_test_without_credentials_says_what_to_pass() -> None:
    with pytest.raises(RuntimeError, match="unseal="):
        turn().credential()
