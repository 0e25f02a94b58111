"""The error codes of WeCom's API, by meaning (WeCom docs: Global error codes)."""

from parley.platforms.tencent.api import FORM_CODES, TOKEN_CODES, Codes
from parley.platforms.wecom.config import AGENT_AT, CONSOLE, SECRET_AT, TRUSTED_IP_AT

CODES = Codes(
    token=TOKEN_CODES,
    limited={45009: 60, 45033: 1},
    transient=frozenset({-1, 6000}),
    form=FORM_CODES
    | {
        40058,  # a parameter
        44001,  # empty media
    },
    # The task id has been used. Task ids are made from the reply's id, so this same card has been sent before.
    done=frozenset({42014}),
    # The API refuses every message of this app until its configuration changes. A passive reply needs no API.
    window_closed=frozenset(
        {
            60020,  # the address
            48002,  # no right to the API
            40056,  # the agent id
            301002,  # the agent id
            50003,  # the app is disabled
        }
    ),
    hints={
        48002: f"the app has no right to this API; see {AGENT_AT}",
        60020: f"add the address that this deployment calls from to {TRUSTED_IP_AT}",
        40056: "compare `agent_id` with the app's page",
        301002: "compare `agent_id` with the app's page",
        60011: "the person is outside the app's visible range",
        81013: "no receiver is in the app's visible range",
        93000: "the robot's key is wrong, or the robot was removed from its group",
        93008: "the robot is no longer in the group",
    },
)
TOKEN_SETTINGS = {
    40001: f"`secret`, at {SECRET_AT}",
    40091: f"`secret`, at {SECRET_AT}",
    41004: f"`secret`, at {SECRET_AT}",
    40013: f"`corp_id`, at {CONSOLE.receiver}",
    41002: f"`corp_id`, at {CONSOLE.receiver}",
    50003: "the app's page: the app is disabled",
    60020: TRUSTED_IP_AT,
    48002: "the app's page: it has no right to the API",
}
"""Token request: the codes that only a changed configuration cures, and the setting to check. Every other code
may pass; the engine ends the attempts at the platform's deadline."""
