"""The data map: what of each kind of row is personal, how long the row lasts, and how a person is forgotten in it.

`docs/privacy.md` shows it to people. Tests compare it with the document, with the keys and attributes of
`parley.journal.table`, and with the rows that the code writes.
"""

from typing import Literal, NamedTuple

Forgotten = Literal["masked", "emptied", "deleted", "kept"]
"""What `parley.journal.forget` does with a row of the person: it masks their part of it, empties a state whose version
has to go on, deletes the row, or keeps it because it has no personal data."""


class Kind(NamedTuple):
    """One kind of row: the rows whose key begins with its prefix.

    `personal`: the attributes that hold ids, names or texts of people. `other`: all other attributes. A key or a hash
    of an id is no personal attribute; docs/privacy.md says what that means.
    """

    personal: frozenset[str]
    other: frozenset[str]
    forgotten: Forgotten
    expires: str
    """When DynamoDB deletes the row, counted from its last change, as the document says it; empty if it has no TTL."""
    stays: str = ""
    """Why the row can be without a TTL."""


def _of(names: str) -> frozenset[str]:
    return frozenset(names.split())


_RETENTION = "RetentionDays"
"""The parameter of the template, 30 days by default."""

KINDS: dict[str, Kind] = {
    "in": Kind(
        _of("message reason results"),
        _of("state replies platform app id conversation person decided before forwarded attempts updated ttl"),
        "masked",
        _RETENTION,
    ),
    "out": Kind(
        _of("body receipts reason"),
        _of(
            "state message attempts owner lease_until not_before unknown_since attempted_since boxed due_shard "
            "due_at updated ttl"
        ),
        "masked",
        _RETENTION,
    ),
    "callback": Kind(_of("response draft"), _of("deliveries first person ttl"), "masked", _RETENTION),
    "posted": Kind(_of("value"), _of("person ttl"), "deleted", _RETENTION),
    "conv": Kind(
        _of("memory agenda"),
        _of("version platform app person updated ttl"),
        "emptied",
        _RETENTION,
        "the bot has a state or plans; the row of an empty state expires",
    ),
    "user": Kind(_of("memory"), _of("version updated ttl"), "emptied", _RETENTION, "the bot has a state of the person"),
    "shared": Kind(
        _of("memory"),
        _of("version updated ttl"),
        "masked",
        _RETENTION,
        "the bot has a state of the app, which is its own",
    ),
    "talk": Kind(_of("memory"), _of("version platform app person updated ttl"), "emptied", _RETENTION),
    "run": Kind(_of(""), _of("state since lease_until ttl"), "kept", "1 day"),
    "timer": Kind(
        _of("body"), _of("due_shard due_at"), "deleted", "", "a timer is deleted when it is sent or cancelled"
    ),
    "name": Kind(_of("value departments"), _of("expires ttl"), "deleted", "1 day"),
    "limit": Kind(_of(""), _of("tat count room marks portions ttl"), "deleted", "2 days"),
    "heard": Kind(_of(""), _of("value ttl"), "kept", "1 hour"),
    "merge": Kind(_of(""), _of("message updated ttl"), "kept", _RETENTION),
    "queued": Kind(_of(""), _of("reply foreign decided ttl"), "kept", _RETENTION),
    "deferred": Kind(_of(""), _of("ids ttl"), "kept", _RETENTION),
    "box": Kind(_of(""), _of("first count reply ttl"), "kept", _RETENTION),
    "watch": Kind(_of(""), _of("watchers ttl"), "kept", "3 hours"),
    "conn": Kind(_of("value"), _of("watched ttl"), "deleted", "3 hours"),
    "seen": Kind(_of(""), _of("cursor ttl"), "deleted", _RETENTION),
    "ticket": Kind(_of("value"), _of("expires ttl"), "deleted", "3 hours"),
    "credential": Kind(
        _of(""), _of("value issued_at"), "kept", "", "the platform replaces its ticket; it is that of the app"
    ),
    "token": Kind(
        _of(""),
        _of("value expires renew_at generation lock_until lock_owner"),
        "kept",
        "",
        "it is replaced when it expires; it is that of the app",
    ),
    "tenant": Kind(
        _of(""),
        _of("state platform app id agent scope value authorised withdrawn version updated ttl"),
        "kept",
        "30 days",
        "the organisation has installed the app; its code is encrypted with the KMS key of the stage",
    ),
    "install": Kind(_of(""), _of("id lock_until lock_owner ttl"), "kept", "15 days"),
    "login": Kind(_of(""), _of("owner value ttl"), "kept", "1 hour"),
    "grant": Kind(
        _of("value"),
        _of("scope expires ends generation attempts lock_until lock_owner platform app updated ttl"),
        "deleted",
        "7 days",
    ),
    "gateway": Kind(_of(""), _of("value lock_until lock_owner instances ttl"), "kept", "1 day"),
    "forget": Kind(_of("value"), _of("ttl"), "deleted", "7 days"),
}
"""By the prefix of the key. The key of a `name` row holds the id of the person, and that of a `limit` row may hold the
id of a person or of a room."""


def kind_of(pk: str) -> str:
    """The kind of the row with the key `pk`."""
    return pk.partition("#")[0]
