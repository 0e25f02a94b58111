"""The texts of quoted and forwarded messages, for the bot: from the platform, where the callback lacks them.

Logs hold no text.
"""

import msgspec

from parley.adapter import Sent, SupportsQuotes
from parley.engine import telemetry
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import AwsError
from parley.engine.batch import describe
from parley.engine.calls import Calls, asking
from parley.engine.telemetry import log
from parley.errors import RetryAfter
from parley.model import Message
from parley.platforms import outbound

MAX_QUOTE = 8_000
"""Characters of a text that the bot gets."""


class Quotes(msgspec.Struct):
    """Asks the platforms for messages."""

    calls: Calls
    apps: Apps

    def __call__(self, message_id: str, message: Message) -> str:
        """The text of the message with that id, which `message` quotes or forwards. Empty if it cannot be read: the log
        has the reason.
        """
        platform = outbound(message.platform)
        if not isinstance(platform, SupportsQuotes):
            return ""
        try:
            context = asking(message, self.apps.get(message.platform, message.app), platform)
            call = platform.quote_call(message_id, context.app)
            result = self.calls.ask(context, call)
        except (AppsUnavailableError, UnknownAppError, RetryAfter, *AwsError) as error:
            reason = describe(error)
        else:
            if isinstance(result.outcome, Sent) and result.answer is not None:
                return platform.read_quote(result.answer)[:MAX_QUOTE]
            reason = getattr(result.outcome, "reason", "")
        log.warning("quoted message not readable", extra={**telemetry.ids_of(message), "reason": reason})
        return ""
