"""How Feishu rejects API calls. Codes: Feishu docs, Generic error codes, and each API's own table."""

from collections.abc import Mapping

from playground.platforms.errors import ApiError
from playground.platforms.exchange import Response


class FeishuError(ApiError):
    """Feishu rejects a call with `code` and a message. `bare`: without the `error` object, as in the older APIs."""

    def __init__(
        self, code: int, msg: str, status: int = 400, headers: Mapping[str, str] | None = None, *, bare: bool = False
    ) -> None:
        super().__init__(msg, {"code": code, "msg": msg}, status, headers)
        self.bare = bare

    def response_for(self, log_id: str) -> Response:
        """The HTTP response of the request that Feishu logs as `log_id`."""
        body = self.body if self.bare else {**self.body, "error": {"log_id": log_id}}
        return Response.of(body, self.status, {"x-tt-logid": log_id, **self.headers})


TOKEN_MISSING = (99991661, "Missing access token for authorization. Please make a request with token attached.")
TOKEN_INVALID = (99991663, "Invalid access token for authorization. Please make a test attempt with a new token.")
TOKEN_FORM = (99991671, "Invalid access token for authorization. The access token must start with `t-` or `u-`.")
APP_TOKEN_INVALID = (99991664, "Invalid app_access_token.")
RATE_LIMITED = 99991400
NO_PERMISSION = (99991672, "Access denied. One of the following scopes is required by this API.")


def bad_parameter(what: str) -> FeishuError:
    """230001: a parameter of the request is invalid."""
    return FeishuError(230001, f"Your request contains an invalid request parameter, ext={what}.")


def rate_limited(limit: int, wait: float, status: int = 429) -> FeishuError:
    """99991400: the app exceeds its rate limit for this API. `wait`: seconds until there is room."""
    headers = {"x-ogw-ratelimit-limit": str(limit), "x-ogw-ratelimit-reset": str(max(1, -int(-wait // 1)))}
    return FeishuError(RATE_LIMITED, "request trigger frequency limit", status, headers, bare=True)


def card_error(sub_code: int, what: str) -> FeishuError:
    """230099: the card cannot be created. The sub-code is a part of the message."""
    return FeishuError(230099, f"Failed to create card content, ext=ErrCode: {sub_code}; ErrMsg: {what}; ")
