"""Serves files at the root of the custom domain. Platforms read them to check who owns the domain.

Each file is an SSM parameter `/parley/{stage}/domain/{file}`. The function cannot read the parameters of apps, which
hold secrets.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from parley.engine.aws import AwsError, error_code, setting, ssm
from parley.engine.telemetry import log

_MAX_AGE = 300.0
"""Seconds after which a known file is read again."""
_REREAD_AFTER = 5.0
"""Seconds between two reads of SSM. Requests for unknown files must not use up SSM's quota."""


class DomainFiles(msgspec.Struct):
    """The handler of `GET /{file}`, one per process. `is_served` decides by its name whether a file is looked up.

    All files are read at once, because there are few.
    """

    is_served: Callable[[str], bool]
    clock: Callable[[], float] = time.time
    _files: dict[str, str] = {}
    _read_at: float = float("-inf")
    _tried_at: float = float("-inf")

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """The response to one API Gateway event: 200 with the file, 404, or 503 while SSM fails."""
        parameters: Mapping[str, str] = event.get("pathParameters") or {}
        name = parameters.get("file", "")
        if not self.is_served(name):
            return _response(404)
        now = self.clock()
        if (name not in self._files or now - self._read_at > _MAX_AGE) and now - self._tried_at > _REREAD_AFTER:
            self._read(now)
        if name in self._files:
            return _response(200, self._files[name])
        return _response(404 if self._read_at == self._tried_at else 503)

    def _read(self, now: float) -> None:
        """Read all files. If that fails, the files read before are kept."""
        self._tried_at = now
        try:
            self._files, self._read_at = _stored(), now
        except AwsError as error:
            log.warning("domain files not readable", extra={"error": error_code(error)})


def _stored() -> dict[str, str]:
    pages = ssm().get_paginator("get_parameters_by_path").paginate(Path=f"/parley/{setting('STAGE')}/domain")
    found = [parameter for page in pages for parameter in page["Parameters"]]
    return {one.get("Name", "").rsplit("/", 1)[-1]: one.get("Value", "") for one in found}


def _response(status: int, body: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}
