"""The configuration fields that both platforms share, and their checks.

An error names the field, the form of a valid value, and the page of the console that shows it. It never contains the
value.
"""

import re
from collections.abc import Iterator
from typing import Literal

from parley import adapter
from parley.platforms.tencent.callback import Console
from parley.platforms.tencent.envelope import aes_key

_HOST = re.compile(r"https?://[^\s/]+(/\S*[^\s/])?")


class EncryptedConfig(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What authenticates the callbacks of an app."""

    token: str
    encoding_aes_key: str
    previous_token: str = ""
    previous_encoding_aes_key: str = ""
    """What the console showed before, for messages that are on their way when it is changed."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The EncodingAESKeys to try, in this order."""
        return tuple(key for key in (self.encoding_aes_key, self.previous_encoding_aes_key) if key)

    def callback_problems(self, console: Console, *, needs_key: bool = True) -> Iterator[str]:
        """The problems of the fields of this class."""
        yield from check_filled("token", self.token, console.token)
        if self.encoding_aes_key or needs_key:
            yield from check_key("encoding_aes_key", self.encoding_aes_key, console.key)
        if self.previous_token:
            yield from check_filled("previous_token", self.previous_token, console.token)
        if self.previous_encoding_aes_key:
            yield from check_key("previous_encoding_aes_key", self.previous_encoding_aes_key, console.key)


class CallbackConfig(EncryptedConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What authenticates the callbacks of an app, and how it replies to them."""

    reply_mode: Literal["active", "passive"] = "active"
    """`active`: a reply is an API call. `passive`: a reply goes into the response to the callback, as far as it fits
    there. Passive replies need no trusted IP (WeCom) and no right to customer-service messages (WeChat)."""

    @property
    def replies_passively(self) -> bool:
        """Whether replies go back with the callback itself where they can."""
        return self.reply_mode == "passive"


def raise_all(problems: Iterator[str]) -> None:
    """Raise one ValueError for all `problems`, so that they can be corrected together."""
    if found := list(problems):
        raise ValueError("; ".join(found))


def check_key(name: str, value: str, console: str) -> Iterator[str]:
    """The problem of an EncodingAESKey."""
    try:
        aes_key(value)
    except ValueError:
        yield f"{name}: must be 43 letters and digits, has {len(value)} characters; see {console}"


def check_filled(name: str, value: str, console: str) -> Iterator[str]:
    """The problem of a value that must not be empty or contain white space."""
    if not value or re.search(r"\s", value):
        yield f"{name}: must not be empty or contain white space; see {console}"


def check_host(name: str, value: str) -> Iterator[str]:
    """The problem of the base address of an API."""
    if not _HOST.fullmatch(value):
        yield f"{name}: must be an address such as https://host, without a slash at its end"
