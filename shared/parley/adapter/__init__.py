"""The interface between a platform and the engine.

A platform is a package `parley.platforms.<name>` of pure functions in five modules:

* `config`: `Config`, a struct with the field names of the platform's own console.
* `inbound`: what `Inbound` lists. All that a callback function imports.
* `outbound`: what `Outbound` lists. Used by the deliverer only.
* `content_limits`: `LIMITS`, the `ContentLimits` that the other modules apply.
* `checks`: what `Checks` lists. Used where a handler's replies are checked.

A platform reads no clock, opens no socket and calls no AWS. The engine does that and passes the results in. If one call
depends on the answer to another (upload, then send; ticket, then token), the function is a generator: it yields `Call`s
and is sent the results.
"""

from parley.adapter.app import App, Config, Headers
from parley.adapter.calls import (
    IDEMPOTENT,
    NOTHING,
    Answer,
    Auth,
    Call,
    Outcome,
    Part,
    Permanent,
    Sent,
    TokenRejected,
    Transient,
    Unknown,
    Upload,
)
from parley.adapter.capabilities import Capabilities, Shown
from parley.adapter.content_limits import (
    NO_LIMIT,
    AnswersOnly,
    Checks,
    ChecksInstantAnswers,
    ComparesPersons,
    ContentLimits,
    Element,
    HasDirectRooms,
    Maximum,
    NamesSeveralPersons,
    SendsEdits,
)
from parley.adapter.fallback import fallback
from parley.adapter.inbound import (
    Accepted,
    AcceptsUnsigned,
    Inbound,
    PassiveReply,
    Reason,
    Rejected,
    Request,
    Response,
    SupportsCredentials,
    SupportsGrowingReply,
    SupportsInstantAnswers,
    SupportsPassiveReply,
)
from parley.adapter.limits import BreakerFailure, Bucket, Limit, Pause
from parley.adapter.outbound import (
    Outbound,
    Profile,
    Steps,
    SupportsDeferral,
    SupportsDrafts,
    SupportsEncryptedMedia,
    SupportsJoining,
    SupportsLimitFeedback,
    SupportsNames,
    SupportsQuotes,
    SupportsRenewal,
    SupportsSilence,
    SupportsTyping,
    Token,
    TokenSteps,
    TokenUnavailableError,
    UndeliverableError,
)

__all__ = [
    "IDEMPOTENT",
    "NOTHING",
    "NO_LIMIT",
    "Accepted",
    "AcceptsUnsigned",
    "Answer",
    "AnswersOnly",
    "App",
    "Auth",
    "BreakerFailure",
    "Bucket",
    "Call",
    "Capabilities",
    "Checks",
    "ChecksInstantAnswers",
    "ComparesPersons",
    "Config",
    "ContentLimits",
    "Element",
    "HasDirectRooms",
    "Headers",
    "Inbound",
    "Limit",
    "Maximum",
    "NamesSeveralPersons",
    "Outbound",
    "Outcome",
    "Part",
    "PassiveReply",
    "Pause",
    "Permanent",
    "Profile",
    "Reason",
    "Rejected",
    "Request",
    "Response",
    "SendsEdits",
    "Sent",
    "Shown",
    "Steps",
    "SupportsCredentials",
    "SupportsDeferral",
    "SupportsDrafts",
    "SupportsEncryptedMedia",
    "SupportsGrowingReply",
    "SupportsInstantAnswers",
    "SupportsJoining",
    "SupportsLimitFeedback",
    "SupportsNames",
    "SupportsPassiveReply",
    "SupportsQuotes",
    "SupportsRenewal",
    "SupportsSilence",
    "SupportsTyping",
    "Token",
    "TokenRejected",
    "TokenSteps",
    "TokenUnavailableError",
    "Transient",
    "UndeliverableError",
    "Unknown",
    "Upload",
    "fallback",
]
