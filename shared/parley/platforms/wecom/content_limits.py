"""WeCom's limits for content. WeCom docs: Send application messages; Upload temporary media; Group robots."""

from parley.adapter import ContentLimits, Maximum
from parley.platforms.tencent.content_limits import AUDIO, IMAGE, MEGABYTE, TEXT, VIDEO

_BUTTONS = 6
"""WeCom docs: Send application messages > Template cards > `button_list`."""

LIMITS = ContentLimits(
    name="WeCom",
    text=TEXT,
    markdown=TEXT,
    webhook=Maximum(4096, "bytes", "continued"),
    # `sub_title_text`.
    card_text=Maximum(160, "characters", "continued"),
    buttons=Maximum(_BUTTONS, "", "continued"),
    # An update replaces one card by one card.
    edited_buttons=Maximum(_BUTTONS, "", "error"),
    # `button_list.key`.
    button_key=Maximum(1024, "bytes", "error"),
    # `horizontal_content_list`, and the docs' advice for a value.
    card_fields=Maximum(6, "", "text"),
    field_value=Maximum(26, "characters", "text"),
    # `checkbox.option_list` of a vote.
    menu_choices=Maximum(20, "", "numbered"),
    links=Maximum(8, "", "continued"),
    image=IMAGE,
    audio=AUDIO,
    video=VIDEO,
    file=Maximum(20 * MEGABYTE, "bytes", "text"),
)
