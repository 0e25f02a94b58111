"""Feishu's limits for content. Feishu docs: Send message; Card JSON 2.0 structure; Upload image; Upload file;
Custom bot.

Bytes of messages are those of the content in the request, which is JSON inside a JSON string.
"""

from parley.adapter import ContentLimits, Maximum

RICH = 28_000
"""Bytes of a post or a card. Feishu's limit is 30 KB. Inside, Feishu adds style tags that count."""


def least_text(card_limit: int) -> int:
    """Bytes that a card of `card_limit` bytes keeps for its text. A card with less becomes plain text."""
    return card_limit // 4


LIMITS = ContentLimits(
    name="Feishu",
    # Feishu's limit is 150 KB for the whole request.
    text=Maximum(148_000, "bytes", "continued"),
    markdown=Maximum(RICH, "bytes", "continued"),
    # Feishu's limit is 20 KB.
    webhook=Maximum(18_000, "bytes", "continued"),
    card=Maximum(RICH, "bytes", "continued"),
    card_without_text=Maximum(RICH - least_text(RICH), "bytes", "error"),
    # A card has at most 200 elements, and a button takes two: itself and its column.
    buttons=Maximum(50, "", "continued"),
    # Feishu documents no numbers for these three. A card has at most 200 elements, and all of them need room.
    card_fields=Maximum(20, "", "text"),
    selects=Maximum(20, "", "error"),
    inputs=Maximum(20, "", "error"),
    input_text=Maximum(1000, "characters", "shortened"),
    image=Maximum(10 * 1024 * 1024, "bytes", "text"),
    audio=Maximum(30 * 1024 * 1024, "bytes", "text"),
    video=Maximum(30 * 1024 * 1024, "bytes", "text"),
    file=Maximum(30 * 1024 * 1024, "bytes", "text"),
)
