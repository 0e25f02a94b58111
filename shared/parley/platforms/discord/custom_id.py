"""The `custom_id` of a button or form: one string of at most 100 characters for Parley's id and value.

It is `id`, or `id?value` if there is a value. In the second form, `%` and `?` in the id are percent-encoded. An id that
another program made, without `?`, is read unchanged.
"""

LIMIT = 100


def join(id_: str, value: str = "") -> str:
    """The `custom_id` for an id and a value. Raises ValueError if it is empty or longer than 100 characters."""
    escaped = id_.replace("%", "%25").replace("?", "%3F")
    joined = f"{escaped}?{value}" if value or "?" in id_ else id_
    if not 1 <= len(joined) <= LIMIT:
        raise ValueError(f"id and value have {len(joined)} characters together; Discord takes 1 to {LIMIT}")
    return joined


def part(custom_id: str) -> tuple[str, str]:
    """The id and the value in a `custom_id`: the reverse of `join`."""
    id_, mark, value = custom_id.partition("?")
    return (id_.replace("%3F", "?").replace("%25", "%"), value) if mark else (custom_id, "")
