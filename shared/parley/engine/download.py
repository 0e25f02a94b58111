"""Downloads of media that are part of a message, for the bot."""

import msgspec

from parley.adapter import Answer, Call, Sent, SupportsEncryptedMedia, TokenRejected, TokenUnavailableError
from parley.bot import DownloadError
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import dynamodb, setting
from parley.engine.calls import CallContext, Calls, asking
from parley.engine.http import CallError, Http, client, media_client
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.model import AnyMedia, Message
from parley.platforms import outbound


class Downloads(msgspec.Struct):
    """Downloads media with the app's own token."""

    calls: Calls
    apps: Apps

    def __call__(self, media: AnyMedia, message: Message) -> bytes:
        """The bytes of `media`. Raises DownloadError."""
        try:
            app = self.apps.get(message.platform, message.app)
            context = asking(message, app, outbound(message.platform))
            return self._fetch_or_follow(context, media, message)
        except (AppsUnavailableError, UnknownAppError, CallError, TokenUnavailableError, RetryAfter) as error:
            raise DownloadError(str(error)) from error

    def _fetch_or_follow(self, context: CallContext, media: AnyMedia, message: Message) -> bytes:
        """The bytes from the API. If it refuses them, those at the public URL that the callback holds, if there is one
        (pictures of WeCom and WeChat).
        """
        try:
            return self._fetch(context, media, message, again=True)
        except (DownloadError, TokenUnavailableError):
            if not (media.key and media.url):
                raise
            return self._follow(media.url)

    def _fetch(self, context: CallContext, media: AnyMedia, message: Message, *, again: bool) -> bytes:
        call = context.platform.download(media, message.id, context.app)
        held = self.calls.token(context) if call.auth is not None else None
        answer, body = self.calls.http.download(call, held.value if held else "")
        outcome = context.platform.outcome(call, answer) if answer.status != 200 or _is_json(answer) else Sent()
        if isinstance(outcome, TokenRejected) and held is not None and again:
            self.calls.tokens.reject(context.token_name or "", held)
            return self._fetch(context, media, message, again=False)
        if not isinstance(outcome, Sent):
            raise DownloadError(outcome.reason)
        found = self._follow(outcome.data["url"]) if "url" in outcome.data else body
        if not isinstance(context.platform, SupportsEncryptedMedia):
            return found
        try:
            return context.platform.decrypted(found, context.app)
        except ValueError as error:
            raise DownloadError(str(error)) from error

    def _follow(self, url: str) -> bytes:
        """The bytes at an address that the platform returned instead of the bytes."""
        answer, body = self.calls.http.download(Call(name="download", method="GET", url=url), "")
        if answer.status != 200:
            raise DownloadError(f"the address that the platform returned answered {answer.status}")
        return body


def _is_json(answer: Answer) -> bool:
    """Whether `answer` is JSON and not the media. WeChat sends JSON as `text/plain`."""
    kind = answer.headers.get("content-type", "")
    return "json" in kind or (kind.startswith("text/plain") and bool(answer.json()))


def downloads() -> Downloads:
    """The downloads of this process."""
    table = setting("TABLE")
    calls = Calls(
        Http(client(), media_client()), Tokens(dynamodb(), table), RateLimiter(dynamodb(), table), dynamodb(), table
    )
    return Downloads(calls, Apps())
