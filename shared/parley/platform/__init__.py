"""The interface between a platform and the engine.

A platform is a package `parley.platforms.<name>` of pure functions in three modules:

* `config`: `Config`, a struct with the field names of the platform's own console.
* `inbound`: what `Inbound` lists. All that a callback function imports.
* `outbound`: what `Outbound` lists. Used by the deliverer only.

It reads no clock, opens no socket and calls no AWS: the engine does, and tells it the results. Where one exchange
depends on the answer of another (upload, then send; ticket, then token), the function is a generator that yields
`Call`s and is sent the results, so that it reads like the protocol and runs anywhere.
"""

from parley.platform.app import App, Config, Headers
from parley.platform.calls import (
    HARMLESS,
    Answer,
    Auth,
    Call,
    Limited,
    Outcome,
    Permanent,
    Sent,
    TokenRejected,
    Transient,
    Unclear,
    Upload,
)
from parley.platform.inbound import (
    Accepted,
    Answered,
    Answering,
    Inbound,
    Instantly,
    Reason,
    Rejected,
    Request,
    Response,
)
from parley.platform.limits import Bucket, Pause, Strike
from parley.platform.outbound import (
    Learning,
    NotYet,
    Outbound,
    Profile,
    Silent,
    Steps,
    Token,
    TokenSteps,
    TokenUnavailable,
    Undeliverable,
    fallback,
)

__all__ = [
    "HARMLESS",
    "Accepted",
    "Answer",
    "Answered",
    "Answering",
    "App",
    "Auth",
    "Bucket",
    "Call",
    "Config",
    "Headers",
    "Inbound",
    "Instantly",
    "Learning",
    "Limited",
    "NotYet",
    "Outbound",
    "Outcome",
    "Pause",
    "Permanent",
    "Profile",
    "Reason",
    "Rejected",
    "Request",
    "Response",
    "Sent",
    "Silent",
    "Steps",
    "Strike",
    "Token",
    "TokenRejected",
    "TokenSteps",
    "TokenUnavailable",
    "Transient",
    "Unclear",
    "Undeliverable",
    "Upload",
    "fallback",
]
