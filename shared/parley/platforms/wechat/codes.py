"""The error codes of WeChat's API, by meaning (WeChat docs: Global return codes)."""

from parley.platforms.tencent.api import FORM_CODES, TOKEN_CODES, Codes
from parley.platforms.wechat.config import ALLOW_LIST_AT, CONSOLE, SECRET_AT

_MINUTE = 60
_DAY_QUOTA_RETRY = 1740
"""Seconds. The quota of a day is reset at midnight, or earlier by the operator. Retries should avoid whole and half
hours, which are busy."""
CODES = Codes(
    token=TOKEN_CODES | {40001},
    limited={45011: _MINUTE, 45009: _DAY_QUOTA_RETRY},
    transient=frozenset({-1}),
    form=FORM_CODES
    | {
        47001,  # the body is not understood
    },
    done=frozenset({45065}),
    window_closed=frozenset({45015, 45047, 48001}),
    hints={
        40164: f"add the address in the message to {ALLOW_LIST_AT}",
        45015: "the person has not written for 48 hours, or clicked more than a minute ago",
        45047: "the person has received as many messages as their last one allows",
        48001: "the account has no right to this API; `reply_mode` passive needs none",
    },
)
TOKEN_SETTINGS = {
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
"""Token request: the codes that only a changed configuration cures, and the setting to check."""
