"""The model as JSON. Decoding validates: a wrong type raises `msgspec.ValidationError`, which names the field."""

from collections.abc import Callable
from typing import Any

import msgspec

from parley.model.message import Message
from parley.model.reply import Outgoing, Reply

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""UTF-8 JSON of any part of the model. Non-ASCII characters are not escaped."""
decode_message: Callable[[bytes | str], Message] = msgspec.json.Decoder(Message).decode
decode_reply: Callable[[bytes | str], Reply] = msgspec.json.Decoder(Reply).decode
decode_outgoing: Callable[[bytes | str], Outgoing] = msgspec.json.Decoder(Outgoing).decode


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a part of the model."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}
