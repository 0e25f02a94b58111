"""The limits of the HTTP channel for content: none of its own. A client shows what it can."""

from parley.adapter import ContentLimits

LIMITS = ContentLimits(name="HTTP")
