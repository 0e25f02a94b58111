"""Signed values of buttons and forms.

The ids and values of an action come from outside. A platform passes on what its client sends, and people can forward,
copy and imitate cards. A handler that acts on a value has to check it, as in a web form. A signature shows that the bot
itself made the value.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from parley.model import digest

_LEAST_KEY = 16
_SIZE = 16
"""Bytes of the signature: 22 characters, because Discord takes 100 for id and value together."""


class Signer:
    """Signs values with a secret `key` of at least 16 bytes, HMAC-SHA256. Raises ValueError for a shorter key.

    Read the key from SSM or Secrets Manager. With another key, old buttons no longer verify.
    """

    def __init__(self, key: str | bytes) -> None:
        self._key = key.encode() if isinstance(key, str) else key
        if len(self._key) < _LEAST_KEY:
            raise ValueError(f"the key of a signer has at least {_LEAST_KEY} bytes")

    def sign(self, value: str, *scope: str) -> str:
        """`value` with its signature, for `Button.value` or `Form.value`.

        `scope`: texts to which the value is bound, such as the action's id and the room. `verify` needs the same ones.
        """
        return f"{self._signature(value, scope)}.{value}"

    def verify(self, signed: str, *scope: str) -> str | None:
        """The value in `signed`; None unless this signer made it for this `scope`."""
        signature, _, value = signed.partition(".")
        expected = self._signature(value, scope)
        is_ours = hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())
        return value if is_ours else None

    def _signature(self, value: str, scope: tuple[str, ...]) -> str:
        signed = hmac.digest(self._key, digest(value, *scope).encode(), hashlib.sha256)
        return urlsafe_b64encode(signed[:_SIZE]).decode().rstrip("=")
