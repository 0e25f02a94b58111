"""The `response_url` of a message: the right to send one message within an hour (WeCom docs: Active replies).

It is a credential. It travels as a sealed reply token.
"""

from parley.crypto import seal, unseal
from parley.platforms.wecom_bot.config import Config

LIFETIME = 3600 - 60
"""Seconds for which it is used. WeCom keeps it for an hour."""


def sealed(url: str, config: Config) -> str:
    """The reply token for `url`. Empty if it is not an address of the configured host: the body of a callback names it,
    and no other host is called.
    """
    return seal(config.encoding_aes_key, url) if url.startswith(f"{config.host}/") else ""


def opened(reply_token: str, config: Config) -> str:
    """The `response_url` in a reply token. Raises ValueError if no key of the configuration has sealed it."""
    for key in config.keys:
        try:
            return unseal(key, reply_token)
        except ValueError:
            continue
    raise ValueError("sealed with another key")
