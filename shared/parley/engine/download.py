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
from parley.platform import Answer, Call, Sent, TokenRejected, TokenUnavailable
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
        outcome = line.platform.outcome(call, answer) if answer.status != 200 or _is_told(answer) else Sent()
        if isinstance(outcome, TokenRejected) and held is not None and again:
            self.calls.tokens.reject(line.token_name or "", held)
            return self._fetch(line, media, message, again=False)
        if not isinstance(outcome, Sent):
            raise DownloadFailed(outcome.reason)
        return self._elsewhere(outcome.data["url"]) if "url" in outcome.data else body

    def _elsewhere(self, url: str) -> bytes:
        """The bytes at an address that the platform gave in their place."""
        answer, body = self.calls.http.download(Call(name="download", method="GET", url=url), "")
        if answer.status != 200:
            raise DownloadFailed(f"the address that the platform gave answered {answer.status}")
        return body


def _is_told(answer: Answer) -> bool:
    """Whether the platform speaks, and these are not the media. WeChat calls its JSON `text/plain`."""
    kind = answer.headers.get("content-type", "")
    return "json" in kind or (kind.startswith("text/plain") and bool(answer.json()))


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
