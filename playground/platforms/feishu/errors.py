"""What Feishu answers when it refuses. Codes: Feishu docs, Generic error codes, and each API's own table."""

from playground.platforms.http import Response


class Refused(Exception):
    """A refusal: Feishu's code, its words, and the HTTP status that goes with it."""

    def __init__(
        self, code: int, msg: str, status: int = 400, headers: dict[str, str] | None = None, *, bare: bool = False
    ) -> None:
        super().__init__(msg)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.bare = bare
        """Without the `error` object, as the older APIs answer."""

    def response(self, log_id: str) -> Response:
        """The refusal as an HTTP response."""
        body: dict[str, object] = {"code": self.code, "msg": str(self)}
        if not self.bare:
            body["error"] = {"log_id": log_id}
        return Response.of(body, self.status, {"x-tt-logid": log_id, **self.headers})


TOKEN_MISSING = (99991661, "Missing access token for authorization. Please make a request with token attached.")
TOKEN_INVALID = (99991663, "Invalid access token for authorization. Please make a test attempt with a new token.")
TOKEN_FORM = (99991671, "Invalid access token for authorization. The access token must start with `t-` or `u-`.")
APP_TOKEN_INVALID = (99991664, "Invalid app_access_token.")
TOO_OFTEN = 99991400


def bad_parameter(what: str) -> Refused:
    """230001: something in the request is not as it must be."""
    return Refused(230001, f"Your request contains an invalid request parameter, ext={what}.")


def too_often(limit: int, wait: float, status: int = 429) -> Refused:
    """99991400: above the app's limit for this API."""
    headers = {"x-ogw-ratelimit-limit": str(limit), "x-ogw-ratelimit-reset": str(max(1, -int(-wait // 1)))}
    return Refused(TOO_OFTEN, "request trigger frequency limit", status, headers, bare=True)


def card_refused(sub_code: int, what: str) -> Refused:
    """230099: the card cannot be made; the sub-code is in the words."""
    return Refused(230099, f"Failed to create card content, ext=ErrCode: {sub_code}; ErrMsg: {what}; ")
