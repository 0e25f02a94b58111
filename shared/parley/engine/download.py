"""Downloads of received media, for the bot and for replies with them."""

from msgspec import Struct
from msgspec.structs import replace

from parley.adapter import (
    Answer,
    Call,
    Permanent,
    Sent,
    SupportsEncryptedMedia,
    TokenRejected,
    TokenUnavailableError,
    Transient,
    Upload,
)
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import describe
from parley.engine.calls import CallContext, Calls, asking_at
from parley.engine.http import MAX_DOWNLOAD, CallError, Http, client, media_client
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import DownloadError, RetryAfter
from parley.model import AnyMedia, Destination, Message, Source, source_of
from parley.platforms import outbound

_TIMEOUT = 10.0
"""Seconds to get the bytes for a reply. The rest of the invocation is for the upload."""


class Downloads(Struct):
    """Downloads media from the platform that they came from, with the token of the app that has received them."""

    calls: Calls
    apps: Apps

    def __call__(self, media: AnyMedia, message: Message) -> bytes:
        """The bytes of `media`, which are part of `message` if they name no source. Raises DownloadError."""
        try:
            return self._get(media, source_of(media, message), MAX_DOWNLOAD)
        except (AppsUnavailableError, UnknownAppError, CallError, TokenUnavailableError, RetryAfter) as error:
            raise DownloadError(str(error)) from error

    def content(self, upload: Upload, source: Source) -> bytes | Permanent | Transient:
        """The bytes for `upload`, from `source`. If they are not available, the outcome of its call."""
        try:
            return self._get(upload.media, source, upload.limit, _TIMEOUT)
        except UnknownAppError:
            return Permanent("the app that has received the media is gone", part="media")
        except RetryAfter as limited:
            return Transient(f"media: {limited}", limited.seconds, part="media")
        except CallError as error:
            is_final = isinstance(error.outcome, Permanent)
            return Permanent(str(error), part="media") if is_final else Transient(f"media: {error}", part="media")
        except Exception as error:  # noqa: BLE001  # no configuration, no token, no AWS: the call has not left
            return Transient(f"media: {describe(error)}", part="media")

    def _get(self, media: AnyMedia, source: Source, limit: int, timeout: float | None = None) -> bytes:
        """At most `limit` bytes from the API. If it refuses them, from the public URL that the callback holds, if there
        is one (pictures of WeCom and WeChat).

        Raises AppsUnavailableError, UnknownAppError, TokenUnavailableError, RetryAfter, CallError.
        """
        to = Destination(platform=source.platform, app=source.app, tenant=source.tenant)
        context = asking_at(to, self.apps.get(to.platform, to.app), outbound(to.platform))
        call = context.platform.download(replace(media, key=source.key), source.message_id, context.app)
        call = replace(call, timeout=min(call.timeout, timeout or call.timeout))
        if call.stored:
            if not setting("MEDIA_HOST", ""):
                raise CallError(Permanent("this deployment has no bucket: HttpMedia is false"))
            from parley.engine.objects import read_address  # noqa: PLC0415  # few media are there

            call = replace(call, url=read_address(call.stored))
        try:
            return self._fetch(context, call, limit, again=True)
        except (CallError, TokenUnavailableError, RetryAfter):
            if not (source.key and media.url):
                raise
            return self._follow(media.url, limit)

    def _fetch(self, context: CallContext, call: Call, limit: int, *, again: bool) -> bytes:
        held = None
        if call.auth is not None:  # a public address is no API of the platform, and counts under none of its limits
            held = self.calls.token(context)
            due = self.calls.reserve(context, call)
            if isinstance(due, Transient):
                raise CallError(due)
        answer, body = self.calls.http.download(call, held.value if held else "", limit)
        outcome = context.platform.outcome(call, answer) if answer.status != 200 or _is_json(answer) else Sent()
        if isinstance(outcome, TokenRejected) and held is not None and again:
            self.calls.tokens.reject(context.token_name or "", held)
            return self._fetch(context, call, limit, again=False)
        if isinstance(outcome, RetryAfter):
            raise outcome
        if isinstance(outcome, TokenRejected):
            raise CallError(Transient(outcome.reason))
        if not isinstance(outcome, Sent):
            raise CallError(outcome)
        found = self._follow(outcome.data["url"], limit) if "url" in outcome.data else body
        if not isinstance(context.platform, SupportsEncryptedMedia):
            return found
        try:
            return context.platform.decrypted(found, context.app)
        except ValueError as error:
            raise CallError(Permanent(str(error))) from error

    def _follow(self, url: str, limit: int) -> bytes:
        """The bytes at an address that the platform returned instead of the bytes."""
        answer, body = self.calls.http.download(Call(name="download", method="GET", url=url), "", limit)
        if answer.status != 200:
            reason = f"the address that the platform returned answered {answer.status}"
            raise CallError(Transient(reason) if answer.status >= 500 else Permanent(reason))
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
