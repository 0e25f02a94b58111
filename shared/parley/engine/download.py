"""Media that came with a message, fetched for the bot."""

from dataclasses import dataclass

from parley.bot import DownloadFailed
from parley.engine.apps import Apps, AppsUnavailable, UnknownApp
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import Later
from parley.engine.calls import Calls, Line
from parley.engine.http import CallFailed, Http, client
from parley.engine.pacing import Pacing
from parley.engine.tokens import Tokens
from parley.model import AnyMedia, Destination, Message, Outgoing, Reply, message_key
from parley.platform import Headers, Sent, TokenRejected, TokenUnavailable
from parley.platforms import outbound


@dataclass(slots=True)
class Downloads:
    """Fetches media with the app's own token."""

    calls: Calls
    apps: Apps

    def __call__(self, media: AnyMedia, message: Message) -> bytes:
        """The bytes of `media`. Raises DownloadFailed."""
        try:
            app = self.apps.get(message.platform, message.app)
            line = Line(_asking(message), app, outbound(message.platform))
            return self._fetch(line, media, message, again=True)
        except (AppsUnavailable, UnknownApp, CallFailed, TokenUnavailable, Later) as error:
            raise DownloadFailed(str(error)) from error

    def _fetch(self, line: Line, media: AnyMedia, message: Message, *, again: bool) -> bytes:
        call = line.platform.download(media, message.id, line.app)
        held = self.calls.token(line) if call.auth is not None else None
        answer, body = self.calls.http.download(call, held.value if held else "")
        outcome = (
            Sent() if answer.status == 200 and not _is_json(answer.headers) else line.platform.outcome(call, answer)
        )
        if isinstance(outcome, TokenRejected) and held is not None and again:
            self.calls.tokens.reject(line.token_name or "", held)
            return self._fetch(line, media, message, again=False)
        if not isinstance(outcome, Sent):
            raise DownloadFailed(outcome.reason)
        return body


def _is_json(headers: Headers) -> bool:
    return "json" in headers.get("content-type", "")


def _asking(message: Message) -> Outgoing:
    """The message as the reason for a call: tokens are shared by app and tenant."""
    return Outgoing(
        id="", message_key=message_key(message), ordinal=0, to=Destination.answering(message), reply=Reply(), created=0
    )


def downloads() -> Downloads:
    """The downloads of this process."""
    table = setting("TABLE")
    calls = Calls(Http(client()), Tokens(dynamodb(), table), Pacing(dynamodb(), table), dynamodb(), table)
    return Downloads(calls, Apps())
