"""The error codes of WeChat's API (WeChat docs: Global return codes), by what they mean."""

from parley.platforms.tencent.api import Codes
from parley.platforms.wechat.config import ALLOW_LIST_AT, CONSOLE, SECRET_AT

_A_MINUTE = 60
_QUOTA_GONE = 1740
"""Seconds. A day's quota comes back at midnight, or when somebody clears it; whole and half hours are busy."""
_FORM = frozenset(
    {
        40004,  # media type
        40005,  # file type
        40006,  # media size
        40007,  # media id
        40008,  # message type
        40009,  # image size
        40033,  # characters
        45001,  # media too large
        45002,  # text too long
        45003,  # title too long
        45004,  # description too long
        45007,  # voice too long
        45008,  # too many articles
        47001,  # a body that is not understood
    }
)
CODES = Codes(
    token=frozenset({40001, 40014, 42001, 41001}),
    limited={45011: _A_MINUTE, 45009: _QUOTA_GONE},
    transient=frozenset({-1}),
    form=_FORM,
    done=frozenset({45065}),
    window_closed=frozenset({45015, 45047, 48001}),
    hints={
        40164: f"add the address that the message names to {ALLOW_LIST_AT}",
        45015: "the person has not written for 48 hours, or the minute after their click is over",
        45047: "the person has got as many messages as one of theirs allows",
        48001: "the account has not the right to this; `reply_mode` passive answers without it",
    },
)
WRONG = {
    40001: f"`app_secret`, at {SECRET_AT}",
    40125: f"`app_secret`, at {SECRET_AT}",
    40243: f"{SECRET_AT}: it is frozen",
    41004: f"`app_secret`, at {SECRET_AT}",
    40013: f"`app_id`, at {CONSOLE.receiver}",
    41002: f"`app_id`, at {CONSOLE.receiver}",
    40164: ALLOW_LIST_AT,
    45035: ALLOW_LIST_AT,
    48004: "the account's page: it is banned from the API",
}
"""When a token is asked for: what only a change of the configuration cures, and where."""
