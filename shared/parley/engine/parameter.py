"""One parameter of SSM's Parameter Store. `parley.engine.apps` reads those of the apps, under limits of their own."""

from parley.engine.aws import AwsError, error_code, ssm
from parley.errors import ParleyError

_FINAL = frozenset({"AccessDeniedException", "ParameterNotFound"})
"""Errors of SSM after which the same request is not made again."""


class ParameterError(ParleyError):
    """SSM does not return the parameter. The message is SSM's name of the error."""


def read(path: str) -> str | None:
    """The decrypted value of the parameter `path`; None if it does not exist. Raises ParameterError.

    At most two requests, which take 2.6 seconds together at worst.
    """
    for is_last in (False, True):
        try:
            return ssm().get_parameter(Name=path, WithDecryption=True)["Parameter"].get("Value", "")
        except AwsError as error:
            code = error_code(error)
            if code == "ParameterNotFound":
                return None
            if is_last or code in _FINAL:
                raise ParameterError(code) from error
    raise AssertionError
