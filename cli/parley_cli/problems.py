"""Problems in words for people: what is wrong, and what to do. `explained` knows the errors of AWS."""

import re

import httpx
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from parley.engine.aws import error_code

_STACK_MISSING = re.compile(r"Stack with id \S+ does not exist")
_CLOCK_CODES = frozenset(
    {"RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException"}
)
_KEY_CODES = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId", "InvalidToken"}
)
_SESSION_CODES = frozenset({"ExpiredToken", "ExpiredTokenException"})
_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})


class Problem(Exception):
    """Something that the person at the terminal can mend. `what` is wrong; `do` says the way out.

    Neither contains a secret.
    """

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.do = what, do


def explained(error: BaseException) -> Problem | None:
    """`error` of AWS or of the network in words. None if it is a defect of this program."""
    match error:
        case Problem():
            return error
        case NoCredentialsError() | PartialCredentialsError():
            return Problem(
                "AWS does not know who you are: there are no credentials in this shell.",
                "Run `aws configure sso` or `aws configure` once, then set AWS_PROFILE. `aws sts get-caller-identity` "
                "shows whether it worked.",
            )
        case NoRegionError():
            return Problem(
                "No AWS region is chosen.", "Set AWS_REGION to the region of the deployment, such as us-east-1."
            )
        case ProfileNotFound():
            return Problem(f"{error}.", "`aws configure list-profiles` shows the profiles of this machine.")
        case UnauthorizedSSOTokenError() | TokenRetrievalError():
            return _session_over()
        case EndpointConnectionError() | ConnectTimeoutError() | ReadTimeoutError() | httpx.TransportError():
            return Problem(
                "There is no answer over the network.",
                "For the local stack: is it running? `make up` starts it. For AWS: check the region and the proxy.",
            )
        case ClientError():
            return _of_aws(error)
        case BotoCoreError():
            return Problem(f"The request to AWS cannot be made: {type(error).__name__}.")
        case _:
            return None


def _of_aws(error: ClientError) -> Problem:
    code, text = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if _STACK_MISSING.search(text):
        return Problem(text, "Check the region (AWS_REGION), the account (AWS_PROFILE) and the name (--stack).")
    if code in _CLOCK_CODES:
        return clock_is_wrong(None) if "Signature expired" in text or "Time" in code else _wrong_secret(code)
    if code in _SESSION_CODES:
        return _session_over()
    if code in _KEY_CODES:
        return _wrong_secret(code)
    if code in _DENIED_CODES:
        return Problem(
            f"AWS does not allow this: {error.operation_name}.",
            f"Ask for the right to call {error.operation_name}, or use a profile that has it (AWS_PROFILE).",
        )
    return Problem(f"AWS refuses {error.operation_name}: {code} {text}".rstrip())


def clock_is_wrong(seconds: float | None) -> Problem:
    """The clock of this machine differs from AWS's, by that many seconds; None if the number is not known."""
    much = "" if seconds is None else f" by {abs(seconds):.0f} seconds: it is {'ahead' if seconds > 0 else 'behind'}"
    return Problem(
        f"The clock of this machine differs from AWS's clock{much}.",
        "Switch on the synchronisation of the clock: `timedatectl set-ntp true`, or the settings of the system. AWS "
        "refuses requests of a clock that is five minutes wrong.",
    )


def _session_over() -> Problem:
    return Problem("Your session at AWS is over.", "Run `aws sso login`, or get new temporary credentials.")


def _wrong_secret(code: str) -> Problem:
    return Problem(
        f"AWS does not accept the credentials of this shell ({code}).",
        "The access key is deleted, mistyped or of another account. `aws configure list` shows where it comes from.",
    )
