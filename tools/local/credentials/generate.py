"""Random values in the forms that the consoles show."""

import secrets
import string


def letters(count: int) -> str:
    """`count` small letters and digits."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(count))


def aes_key() -> str:
    """An EncodingAESKey of WeCom or WeChat: 43 letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(43))
