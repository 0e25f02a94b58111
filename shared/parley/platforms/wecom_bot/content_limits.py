"""The limits of WeCom smart bots for content. WeCom docs: Passive replies; Active replies; Template cards."""

from parley.adapter import ContentLimits, Maximum
from parley.platforms.wecom.content_limits import LIMITS as WECOM

_TEXT = Maximum(20_480, "bytes", "continued")
"""`stream.content` and `markdown.content`."""

LIMITS = ContentLimits(
    name="WeCom smart bot",
    text=_TEXT,
    markdown=_TEXT,
    card_text=WECOM.card_text,
    # One answer carries one card.
    buttons=Maximum(WECOM.buttons.most, "", "numbered"),
    button_key=Maximum(WECOM.button_key.most, "bytes", "numbered"),
    card_fields=WECOM.card_fields,
    field_value=WECOM.field_value,
    selects=Maximum(1, "", "numbered"),
    menu_choices=WECOM.menu_choices,
    # All images of an answer. WeCom takes ten of 10 MB each, but the journal stores the answer in one item.
    image=Maximum(135_000, "bytes", "text"),
)
