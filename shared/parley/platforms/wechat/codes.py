"""The error codes of WeChat's API, by meaning (WeChat docs: Global return codes)."""

from parley.platforms.tencent.api import FORM_CODES, TOKEN_CODES, Codes
from parley.platforms.wechat.config import ALLOW_LIST_AT, CONSOLE, SECRET_AT

_MINUTE = 60
_DAY_QUOTA_RETRY = 1740
"""Seconds. The quota of a day is reset at midnight, or earlier by the operator. Retries should avoid whole and half
hours, which are busy."""
IP_CODES = (
    89501,  # an administrator is asked
    89503,  # an administrator has to confirm
    89506,  # refused twice in a day
    89507,  # refused once in an hour
)
"""Codes for an address that the account's administrator has to confirm (WeChat docs: Get access token)."""
CODES = Codes(
    token=TOKEN_CODES | {40001},
    limited={45011: _MINUTE, 45009: _DAY_QUOTA_RETRY},
    transient=frozenset({-1}),
    form=FORM_CODES
    | {
        47001,  # the body is not understood
    },
    done=frozenset({45065}),
    window_closed=frozenset(
        {
            45015,  # the person has not written lately
            45047,  # the person has received as many messages as their last one allows
            # The account may not call the API, or not from this address.
            40164,
            45035,
            48001,
            48004,
            50007,
            61004,
            *IP_CODES,
        }
    ),
    hints={
        45035: f"add this deployment's address to {ALLOW_LIST_AT}",
        61004: f"add this deployment's address to {ALLOW_LIST_AT}",
        **dict.fromkeys(IP_CODES, "the account's administrator has to confirm this deployment's address"),
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
    61004: ALLOW_LIST_AT,
    48001: "the account's page: it has no right to the API",
    48004: "the account's page: it is banned from the API",
    50004: "the account's page: it may not request tokens",
    50007: "the account's page: it is frozen",
    **dict.fromkeys(IP_CODES, f"{ALLOW_LIST_AT}; the administrator has to confirm the address"),
}
"""Token request: the codes that only a changed configuration cures, and the setting to check. Every other code
may pass; the engine ends the attempts at the platform's deadline."""
