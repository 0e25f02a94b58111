"""Hostile input: valid requests with one change, and bodies that are wrong in many ways."""

import json
import random
from collections.abc import Iterator
from typing import Any

WRONG_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "\U0001f680",
    "\x00",
    "nan",
    "1e400",
    "9" * 400,
    "{",
    '{"text":1}',
    [],
    [None],
    [[[]]],
    {},
    {"": None},
    {"tag": "at", "content": [[{"tag": 1}]]},
)
"""Values that replace any value of a payload."""

BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \r\n\t",
    "not json": b"hello",
    "null": b"null",
    "true": b"true",
    "number": b"12345678901234567890123456789012345678901234567890",
    "huge number": b"9" * 10_000,
    "float overflow": b'{"a":1e400}',
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "string": b'"a"',
    "array": b"[]",
    "array of objects": b"[{}]",
    "empty object": b"{}",
    "truncated": b'{"type":"url_ver',
    "two documents": b"{}{}",
    "single quotes": b"{'a':1}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"a":1}'.encode("utf-16"),
    "not utf-8": b'{"a":"\xff\xfe"}',
    "surrogate in utf-8": b'{"a":"\xed\xa0\x80"}',
    "lone surrogate escape": b'{"a":"\\ud800"}',
    "nul bytes": b"\x00" * 64,
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    "duplicate keys": b'{"type":"a","type":"b","type":"url_verification","challenge":"x","challenge":1}',
    "a megabyte": b'{"a":"' + b"x" * 1_048_576 + b'"}',
    "xml": b"<xml><ToUserName><![CDATA[x]]></ToUserName></xml>",
    "xml with entities": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>',
    "xml external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
    "unclosed xml": b"<xml><Encrypt>",
    "deep xml": b"<a>" * 20_000,
    "form": b"payload=%7B%7D&a=%FF",
    "encrypt is a number": b'{"encrypt":1}',
    "encrypt is empty": b'{"encrypt":""}',
    "encrypt is not base64": b'{"encrypt":"*"}',
    "encrypt is short": b'{"encrypt":"AAAA"}',
    "encrypt is one block": b'{"encrypt":"AAAAAAAAAAAAAAAAAAAAAA=="}',
    "encrypt is no block": b'{"encrypt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
    "encrypt is zeros": b'{"encrypt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}',
    "encrypt is an object": b'{"encrypt":{"encrypt":"x"}}',
}


def changed_bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    """`body` with changes that every signature of the body has to detect, each with a description."""
    step = max(1, len(body) // 40)
    for place in {*range(0, len(body), step), len(body) - 1}:
        yield f"bit flipped at {place}", body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    yield "a space after it", body + b" "
    yield "a line end after it", body + b"\r\n"
    yield "a space before it", b" " + body
    yield "the last byte cut", body[:-1]
    yield "half of it", body[: len(body) // 2]
    yield "twice", body + body
    yield "nothing left", b""


def changed_values(value: str) -> Iterator[tuple[str, str]]:
    """A signature, nonce or time stamp with changes that have to be detected, each with a description."""
    for place in sorted({0, len(value) // 2, len(value) - 1}):
        yield f"character {place} changed", value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
    yield "cut", value[:-1]
    yield "longer", f"{value}0"
    yield "empty", ""
    yield "not ASCII", f"{value[:-1]}\u00e9"
    yield "a lone surrogate", f"{value[:-1]}\ud800"


def wrong_types(payload: bytes) -> Iterator[bytes]:
    """A JSON payload with each value replaced by each of `WRONG_VALUES`, and with each key removed, one at a time."""
    document = json.loads(payload)
    for path in list(_paths(document)):
        for value in WRONG_VALUES:
            yield json.dumps(_replaced(document, path, value)).encode()
        yield json.dumps(_without(document, path)).encode()


def noise(seed: int, count: int) -> Iterator[bytes]:
    """Random bytes; the same seed gives the same bytes."""
    generator = random.Random(seed)
    for _ in range(count):
        yield generator.randbytes(generator.randrange(200))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _paths(child, (*path, key))


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


def _without(value: Any, path: tuple[Any, ...]) -> Any:
    copy = value.copy()
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _without(value[path[0]], path[1:])
    return copy
