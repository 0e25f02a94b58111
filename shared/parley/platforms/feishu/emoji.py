"""Feishu's names of emoji (Feishu docs: Message reaction > Emoji types).

The documentation lists names and pictures. Which Unicode emoji a picture stands for is decided here: Feishu does not
say it.
"""

import re
from collections.abc import Mapping

from parley.adapter import UndeliverableError

EMOJI: Mapping[str, str] = {
    "👍": "THUMBSUP",
    "👎": "ThumbsDown",
    "👌": "OK",
    "👏": "APPLAUSE",
    "🙏": "THANKS",
    "💪": "MUSCLE",
    "👊": "FISTBUMP",
    "🤝": "SHAKE",
    "👋": "WAVE",
    "✅": "CheckMark",
    "❌": "CrossMark",
    "💯": "Hundred",
    "⏳": "OneSecond",
    "👀": "GLANCE",
    "🔥": "Fire",
    "🎉": "PARTY",
    "🎁": "GIFT",
    "🏆": "Trophy",
    "📌": "Pin",
    "⏰": "Alarm",
    "📢": "Loudspeaker",
    "💣": "BOMB",
    "❤": "HEART",
    "💔": "HEARTBROKEN",
    "🌹": "ROSE",
    "🍺": "BEER",
    "☕": "Coffee",
    "🎂": "CAKE",
    "🎵": "Music",
    "😄": "SMILE",
    "😆": "LAUGH",
    "😂": "LOL",
    "😉": "WINK",
    "😍": "LOVE",
    "😘": "KISS",
    "🤗": "HUG",
    "🤔": "THINKING",
    "🤦": "FACEPALM",
    "🤷": "Shrug",
    "🤫": "SHHH",
    "😮": "WOW",
    "😱": "TERROR",
    "😢": "CRY",
    "😭": "SOB",
    "😠": "ANGRY",
    "😅": "SWEAT",
    "😴": "SLEEP",
    "💀": "SKULL",
    "💩": "POOP",
}
"""Feishu's name by the emoji, without the marks of its look."""
_LOOK = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
"""Marks after an emoji: in colour, the tone of the skin. Feishu has one look of each."""
_NAME = re.compile(r"\w{1,64}", re.ASCII)


def emoji_type(emoji: str) -> str:
    """Feishu's name of `emoji`, or `emoji` if it can be such a name. Raises UndeliverableError."""
    name = EMOJI.get(_LOOK.sub("", emoji), emoji)
    if not _NAME.fullmatch(name):
        raise UndeliverableError(f"Feishu has no reaction {emoji[:20]!r}; docs/capabilities.md lists those that it has")
    return name
