"""WeChat's limits for content. WeChat docs: Customer-service messages; Temporary media."""

from parley.adapter import ContentLimits, Maximum
from parley.platforms.tencent.content_limits import AUDIO, IMAGE, TEXT, VIDEO

LIMITS = ContentLimits(
    name="WeChat",
    text=TEXT,
    markdown=TEXT,
    # The text above a menu. The docs give no number (unverified).
    card_text=Maximum(1024, "bytes", "continued"),
    # The items of a menu, as in Tencent's other menus. The docs of this menu give no number (unverified).
    buttons=Maximum(10, "", "continued"),
    links=Maximum(1, "", "continued"),
    image=IMAGE,
    audio=AUDIO,
    video=VIDEO,
)
