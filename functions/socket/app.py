"""WebSockets of the HTTP channel. What checks tokens is imported while the function starts."""

import parley.bearer  # noqa: F401
from parley.engine.connections import connection_handler

lambda_handler = connection_handler("http")
