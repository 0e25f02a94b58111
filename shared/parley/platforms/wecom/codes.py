"""The error codes of WeCom's API (WeCom docs: Global error codes), by what they mean."""

from parley.platforms.tencent.api import Codes
from parley.platforms.wecom.config import CONSOLE, SECRET_AT, TRUSTED_IP_AT

_FORM = frozenset(
    {
        40004,  # media type
        40005,  # file type
        40006,  # media size
        40007,  # media id
        40008,  # message type
        40009,  # image size
        40033,  # characters
        40058,  # a parameter
        44001,  # empty media
        45001,  # media too large
        45002,  # text too long
        45003,  # title too long
        45004,  # description too long
        45007,  # voice too long
        45008,  # too many articles
    }
)
CODES = Codes(
    token=frozenset({40014, 42001, 41001}),
    limited={45009: 60, 45033: 1},
    transient=frozenset({-1, 6000}),
    form=_FORM,
    # The task id has been used: ours are made of the reply's id, so it is this very card that is there already.
    done=frozenset({42014}),
    hints={
        60020: f"add the address that this deployment calls from to {TRUSTED_IP_AT}",
        40056: "compare `agent_id` with the app's page",
        301002: "compare `agent_id` with the app's page",
        60011: "the person is outside the app's visible range",
        81013: "nobody of those addressed is in the app's visible range",
        93000: "the robot's key is wrong, or the robot was removed from its group",
        93008: "the robot is not in the group any more",
    },
)
WRONG = {
    40001: f"`secret`, at {SECRET_AT}",
    40091: f"`secret`, at {SECRET_AT}",
    41004: f"`secret`, at {SECRET_AT}",
    40013: f"`corp_id`, at {CONSOLE.receiver}",
    41002: f"`corp_id`, at {CONSOLE.receiver}",
    50003: "the app's page: it is disabled",
    60020: TRUSTED_IP_AT,
}
"""When a token is asked for: what only a change of the configuration cures, and where."""
