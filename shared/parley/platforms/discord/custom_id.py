"""What a button carries: Discord gives it one string of 100 characters, Parley's buttons have an id and a value.

`id`, or `id?value` where there is a value; a `%` or `?` in the id is then percent-encoded. A foreign id without `?`
reads as itself.
"""

LIMIT = 100


def join(id_: str, value: str = "") -> str:
    """The `custom_id` for a button or form. Raises ValueError beyond 100 characters."""
    escaped = id_.replace("%", "%25").replace("?", "%3F")
    joined = f"{escaped}?{value}" if value or "?" in id_ else id_
    if not 1 <= len(joined) <= LIMIT:
        raise ValueError(f"id and value have {len(joined)} characters together; Discord takes 1 to {LIMIT}")
    return joined


def part(custom_id: str) -> tuple[str, str]:
    """The id and the value that `join` was given."""
    id_, mark, value = custom_id.partition("?")
    return (id_.replace("%3F", "?").replace("%25", "%"), value) if mark else (custom_id, "")
