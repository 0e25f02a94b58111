"""WeChat: an account that replies by its API, and one with passive replies."""

from typing import Any

from playground.platforms.base import PRIVATE
from playground.platforms.wechat import Wechat
from tools.faults.target import APP, Target, without

_HOST = "http://wechat.imitation"


def _app(mode: str) -> dict[str, Any]:
    return {
        "app_id": f"wx{mode}",
        "app_secret": f"secret-{mode}",
        "token": f"token-{mode}",
        "encoding_aes_key": "k" * 43,
        "reply_mode": mode,
        "host": _HOST,
    }


TARGETS = (
    # No `late`: an account cannot write to a person who has never written to it. No `push`: there are no webhooks.
    Target(
        "wechat",
        Wechat,
        {APP: _app("active")},
        _HOST,
        without("late", "push"),
        long_text_words=250,
        room=PRIVATE,
        message_interval=70,
        variant="active",
    ),
    # No `refused` either: WeChat does not report a passive reply that it cannot show. No `unshown`: the card would wait
    # for a message of a person who does not exist.
    Target(
        "wechat",
        Wechat,
        {APP: _app("passive")},
        _HOST,
        without("refused", "late", "push", "unshown"),
        long_text_words=250,
        room=PRIVATE,
        message_interval=70,
        variant="passive",
    ),
)
