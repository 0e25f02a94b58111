"""The error codes of WeCom's API, by meaning (WeCom docs: Global error codes)."""

from parley.platforms.tencent.api import FORM_CODES, TOKEN_CODES, Codes
from parley.platforms.wecom.config import (
    AGENT_AT,
    CONSOLE,
    SECRET_AT,
    SUITE_CONSOLE,
    SUITE_SECRET_AT,
    TRUSTED_IP_AT,
)

CODES = Codes(
    token=TOKEN_CODES
    | {
        40082,  # the token of a provider's app
        42009,
    },
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
        40078: "the code of the authorisation was used or has expired; the company has to install the app again",
        40084: "the company has removed the app",
        48004: "the company has removed the app",
        701008: "the company needs a licence for the interface",
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
SUITE_TOKEN_SETTINGS = {
    40080: f"`suite_secret`, at {SUITE_SECRET_AT}",
    40083: f"`suite_id`, at {SUITE_CONSOLE.receiver}",
    41021: f"`suite_id`, at {SUITE_CONSOLE.receiver}",
    41022: f"`suite_secret`, at {SUITE_SECRET_AT}",
    60020: "the list of addresses at the provider's console",
}
"""The same for the token of a provider's app."""
