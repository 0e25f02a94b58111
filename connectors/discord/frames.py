"""Frames of the Gateway (Discord docs: Gateway Events). A frame is a JSON object `{"op", "d", "s", "t"}`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
MOST_BYTES = 4096
"""Bytes of a frame that a client may send."""

Frame = dict[str, Any]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who connects. `intents`: the sum of their bits. `shard`: its number and how many there are."""

    token: str
    intents: int
    shard: tuple[int, int] = (0, 1)


def identify(who: Identity) -> Frame:
    """The frame that starts a session."""
    properties = {"os": "linux", "browser": "parley", "device": "parley"}
    data = {"token": who.token, "intents": who.intents, "shard": list(who.shard), "properties": properties}
    return {"op": IDENTIFY, "d": data}


def resume(who: Identity, session_id: str, seq: int | None) -> Frame:
    """The frame that continues a session after the event number `seq`."""
    return {"op": RESUME, "d": {"token": who.token, "session_id": session_id, "seq": seq}}


def heartbeat(seq: int | None) -> Frame:
    """The frame that keeps the connection. `seq`: the number of the last event."""
    return {"op": HEARTBEAT, "d": seq}


def encoded(frame: Mapping[str, Any]) -> str:
    """`frame` as it is sent. Raises ValueError if Discord would close the connection because of its length."""
    text = msgspec.json.encode(frame).decode()
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"a frame of more than {MOST_BYTES} bytes")
    return text


def address(base: str) -> str:
    """The address to connect to, for the `url` of the API or the `resume_gateway_url` of a session."""
    return f"{base.rstrip('/')}/?{urlencode({'v': 10, 'encoding': 'json'})}"


def shard_of(guild_id: str, shards: int) -> int:
    """The shard that gets the events of a server; those of direct messages, which have none, come to the first."""
    return (int(guild_id) >> 22) % shards if guild_id else 0
