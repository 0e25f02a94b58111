"""What the configurations of both platforms have in common, and how they are checked.

A wrong value is told by its field, what it has to look like, and where the console shows it; never by itself.
"""

import re
from collections.abc import Iterator

from parley.platforms.tencent.envelope import aes_key

_HOST = re.compile(r"https?://[^\s/]+(/\S*[^\s/])?")


def complaints(checks: Iterator[str]) -> None:
    """Raise ValueError with all that `checks` found wrong, at once: nobody likes to be sent back for each."""
    found = list(checks)
    if found:
        raise ValueError("; ".join(found))


def check_key(name: str, value: str, console: str) -> Iterator[str]:
    """What is wrong with an EncodingAESKey."""
    try:
        aes_key(value)
    except ValueError:
        yield f"{name}: 43 letters and digits are wanted, {len(value)} characters are there; see {console}"


def check_filled(name: str, value: str, console: str) -> Iterator[str]:
    """What is wrong with a value that may be anything but empty or spaced."""
    if not value or re.search(r"\s", value):
        yield f"{name}: empty, or with white space in it; see {console}"


def check_host(name: str, value: str) -> Iterator[str]:
    """What is wrong with the base address of an API."""
    if not _HOST.fullmatch(value):
        yield f"{name}: an address such as https://host, without a slash at its end, is wanted"
