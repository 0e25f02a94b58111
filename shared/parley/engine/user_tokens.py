"""The tokens of persons who have logged in: read, refreshed by one worker at a time, and used for calls of the bot.

A refresh token is good once. `parley.journal.grants` says what happens if a worker dies during a refresh.
"""

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from parley.adapter import Answer, App, Call, Permanent, Transient
from parley.adapter.logins import LoginError, SupportsLogins, UserToken
from parley.engine import telemetry
from parley.engine.apps import Apps, AppsUnavailableError
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.data_keys import DataKey, SecretUnreadableError
from parley.engine.http import CallError, Http, client
from parley.engine.telemetry import log
from parley.errors import AuthorError, LoginNeededError, RetryAfter, UserApiError
from parley.journal.grants import Grant, GrantId, Grants
from parley.model import Message
from parley.model.codec import encode
from parley.platforms import logins

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_EARLY = 300.0
"""Seconds before its end at which an access token is refreshed."""
_MOST_ATTEMPTS = 2
"""Refreshes with one token: the second one is for a first one whose outcome is not known."""
_WAIT = 3.0
"""Seconds to wait for another worker's refresh before the message goes back to the queue."""
_LATER = 2.0
_TO_STORE = 3.0
"""Seconds of the worker's time that a call of the platform does not get: they are for storing what it has answered."""
_KEY_UNUSABLE = frozenset(
    {"AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException"}
)
"""The error codes of KMS that another try does not change."""
_KEY_WRONG = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
"""Those for tokens that another key has encrypted."""
_FIRST_POLL, _LAST_POLL = 0.05, 0.8
_LOST = "the login has ended, because the platform's answer to a refresh was lost"
_ENDED = "the login has ended"
_MISSING = "the person has not logged in"
_decode = msgspec.json.Decoder(UserToken).decode


def encrypted(key: DataKey, id_: GrantId, token: UserToken) -> str:
    """`token`, as the row of `id_` holds it."""
    return key.encrypted(f"login-{id_.owner}", encode(token).decode())


def grant_of(id_: GrantId, key: DataKey, token: UserToken) -> Grant:
    """The row for a new `token`."""
    return Grant(
        id=id_,
        tokens=encrypted(key, id_, token),
        scopes=token.scopes,
        expires=token.expires,
        ends=token.refresh_expires,
    )


class UserTokens(msgspec.Struct):
    """The tokens of persons of all apps, in the table `table`. Methods raise AwsError."""

    client: "DynamoDBClient"
    table: str
    http: Http
    apps: Apps
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random

    @property
    def grants(self) -> Grants:
        """The rows."""
        return Grants(self.client, self.table)

    def address(self, message: Message) -> str:
        """The address of the login page of this deployment for the app of `message`, without its query; empty if the
        app has no logins. Raises RetryAfter if the configuration is not available.
        """
        found = self._find(message)
        return found[1].redirect_uri(found[0]).removesuffix("/callback") + "/start" if found else ""

    def has(self, message: Message, scopes: str) -> bool:
        """Whether the sender of `message` has logged in with all of `scopes`, and the login goes on for a while."""
        grant = self.grants.get(_id_of(message))
        return grant is not None and grant.has(scopes) and grant.last > self.clock() + _EARLY

    def forget(self, message: Message, until: float) -> bool:
        """End the login of the sender of `message` at the platform, if it has a call for that, and delete their tokens.
        False if they have not logged in. `until`: see `call`.

        The deletion comes last: a worker that dies before it is followed by one that does both.
        """
        grant, found = self.grants.get(_id_of(message)), self._find(message)
        if grant is None:
            return False
        self.http.until = until - _TO_STORE
        if found:
            self._revoke(grant, *found)
        removed = self.grants.remove(grant.id)
        if found and removed is not None and removed.tokens != grant.tokens:  # refreshed or renewed meanwhile
            self._revoke(removed, *found)
        return True

    def _revoke(self, grant: Grant, app: App, platform: SupportsLogins) -> None:
        """End the login of `grant` at the platform. It is best effort."""
        try:
            self._end_at_platform(self._read(grant), app, platform)
        except (LoginNeededError, UserApiError, *AwsError) as error:
            log.warning("login not revoked", extra={"platform": app.platform, "reason": type(error).__name__})

    def _end_at_platform(self, token: UserToken, app: App, platform: SupportsLogins) -> None:
        call = platform.revoke_call(app, token)
        if call is None:
            return
        try:
            self.http.perform(call)
        except CallError as error:
            log.warning("login not revoked", extra={"platform": app.platform, "reason": str(error)})

    def call(self, message: Message, request: Call, until: float) -> Answer:
        """The answer to a call in the name of the sender of `message`. `request` has a path in place of an address.
        `until`: the time of `time.monotonic` by which the worker has to be done.

        Raises LoginNeededError, UserApiError, RetryAfter, and AuthorError if the app has no logins.
        """
        found = self._find(message)
        if found is None:
            raise AuthorError(
                f"the app {message.platform}/{message.app} has no logins: add `logins` to its configuration"
            )
        app, platform = found
        self.http.until = until - _TO_STORE
        made = platform.user_call(app, request.method, request.url)
        call = replace(made, query=request.query, json=request.json, timeout=request.timeout)
        answer = None
        for attempt in (1, 2):
            grant, token = self.get(_id_of(message), app, platform)
            answer = self._perform(call, token)
            verdict = platform.verdict(answer)
            if verdict == "scope":
                raise LoginNeededError("the person has not given a scope that the call needs")
            if verdict != "token":
                break
            if attempt == 1:
                self.grants.over(grant)
        else:
            raise LoginNeededError(_ENDED)
        return answer

    def get(self, id_: GrantId, app: App, platform: SupportsLogins) -> tuple[Grant, UserToken]:
        """The grant of a person with its token, refreshed if it is due. Raises LoginNeededError, RetryAfter."""
        deadline, poll, owner = self.clock() + _WAIT, _FIRST_POLL, uuid4().hex
        while True:
            grant, now = self.grants.get(id_), self.clock()
            if grant is None or grant.last <= now:
                raise LoginNeededError(_MISSING if grant is None else _ENDED)
            if grant.expires - now > (_EARLY if grant.ends else 0):
                return grant, self._read(grant)
            if grant.ends <= now:
                raise LoginNeededError(_ENDED)
            if grant.lock_until < now:
                opened = self._opened(grant)  # a failure of KMS is no attempt
                if self.grants.begin_refresh(grant, owner, now):
                    return self._refresh(grant, owner, app, platform, opened)
            if now >= deadline:
                raise RetryAfter(1, "waiting for another worker's refresh")
            self.sleep(poll * (0.5 + self.draw()))
            poll = min(_LAST_POLL, poll * 2)

    def _refresh(
        self, grant: Grant, owner: str, app: App, platform: SupportsLogins, opened: tuple[DataKey, UserToken]
    ) -> tuple[Grant, UserToken]:
        """The next token of `grant`. The attempt is counted already."""
        if grant.attempts >= _MOST_ATTEMPTS:
            return self._end(grant, _LOST)
        key, old = opened
        try:
            answer = self.http.perform(platform.refresh_call(app, old.refresh))
            new = platform.read_token(answer, self.clock())
        except CallError as error:
            done = not isinstance(error.outcome, Transient | Permanent)
            self.grants.end_refresh(grant, owner, done=done)
            raise UserApiError(f"refresh: {error}", is_unknown=done) from error
        except LoginError as error:
            return self._refused(grant, owner, error)
        if not new.refresh:  # the platform does not rotate
            new = replace(new, refresh=old.refresh, refresh_expires=old.refresh_expires)
        made = replace(grant_of(grant.id, key, new), scopes=new.scopes or grant.scopes)
        if not self.grants.refreshed(made, grant, self.clock()):
            if newer := self._newer(grant):  # the person has logged in again
                return newer
            self._end_at_platform(new, app, platform)  # they have logged out, or are forgotten
            raise LoginNeededError(_ENDED)
        telemetry.count("LoginsRefreshed")
        return made, new

    def _newer(self, grant: Grant) -> tuple[Grant, UserToken] | None:
        """The grant that is stored in place of `grant`; None if there is none."""
        found = self.grants.get(grant.id)
        return (found, self._read(found)) if found is not None and found.tokens != grant.tokens else None

    def _refused(self, grant: Grant, owner: str, error: LoginError) -> tuple[Grant, UserToken]:
        ids = {"platform": grant.id.platform, "app": grant.id.app, "reason": str(error)}
        log.warning("refresh refused", extra=ids)
        if error.trouble == "again" and (newer := self._newer(grant)):
            return newer  # a worker that was slower than its lease has had the answer
        if error.trouble in ("again", "person"):
            return self._end(grant, _LOST if grant.attempts else _ENDED)
        is_unknown = error.trouble == "unknown"
        self.grants.end_refresh(grant, owner, done=is_unknown)
        raise UserApiError(str(error), is_unknown=is_unknown)

    def _end(self, grant: Grant, reason: str) -> tuple[Grant, UserToken]:
        """Delete `grant`. Raises LoginNeededError."""
        self.grants.end(grant)
        telemetry.count("LoginsLost" if reason == _LOST else "LoginsEnded")
        raise LoginNeededError(reason)

    def _perform(self, call: Call, token: UserToken) -> Answer:
        try:
            return self.http.perform(call, token.access)
        except CallError as error:
            is_unknown = not isinstance(error.outcome, Transient | Permanent)
            raise UserApiError(f"no answer: {error}", is_unknown=is_unknown) from error

    def _read(self, grant: Grant) -> UserToken:
        """The token of `grant`. Raises LoginNeededError if it is not that of this person."""
        return self._opened(grant)[1]

    def _opened(self, grant: Grant) -> tuple[DataKey, UserToken]:
        """The key of `grant` as well. Raises UserApiError if nobody may use the KMS key."""
        ids = {"platform": grant.id.platform, "app": grant.id.app}
        try:
            key = DataKey.of(grant.id.platform, grant.id.app, grant.tokens)
            return key, _decode(key.decrypted(f"login-{grant.id.owner}", grant.tokens))
        except SecretUnreadableError as error:
            reason, cause = "changed, or of somebody else", error
        except AwsError as error:
            reason, cause = error_code(error), error
            if reason in _KEY_UNUSABLE:
                log.error("key not usable", extra={**ids, "error": reason})
                raise UserApiError(f"the tokens cannot be read: {reason}") from error
            if reason not in _KEY_WRONG:
                raise
        log.error("tokens not readable", extra={**ids, "error": reason})
        self.grants.end(grant)
        raise LoginNeededError(_ENDED) from cause

    def _find(self, message: Message) -> tuple[App, SupportsLogins] | None:
        """The app of `message`, and its platform; None if it has no logins."""
        platform = logins(message.platform)
        if platform is None:
            return None
        try:
            app = self.apps.get(message.platform, message.app)
        except AppsUnavailableError as error:
            raise RetryAfter(_LATER, str(error)) from error
        return (app, platform) if platform.redirect_uri(app) else None


def _id_of(message: Message) -> GrantId:
    return GrantId(message.platform, message.app, message.sender.id)


def user_tokens() -> UserTokens:
    """Those of this process."""
    return UserTokens(dynamodb(), setting("TABLE"), Http(client()), Apps())
