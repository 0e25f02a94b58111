"""Texts as they are compared: people of East Asia also type the full-width forms of ASCII characters."""


def half_width(text: str) -> str:
    """`text` with ASCII letters, digits and punctuation in place of their full-width forms."""
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415  # with the first such text

    return normalize("NFKC", text)


def fold(text: str) -> str:
    """`text` as the name of a command is compared: in half width and in lower case."""
    return half_width(text).casefold()
