"""Writes the JSON Schema of the unified model into docs/schema: what the queues carry, for readers in other languages.

    python -m tools.make_schema

`tests/unit/test_schema.py` holds the files equal to the model.
"""

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

from parley.model import Message, Outgoing
from parley.model.codec import schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def schemas() -> dict[str, str]:
    """The files by name: `message.json` is what the inbound queue carries, `outgoing.json` the outbound queue."""
    return {
        f"{kind.__name__.lower()}.json": json.dumps(_same_on_all(schema(kind)), indent=2, ensure_ascii=False) + "\n"
        for kind in (Message, Outgoing)
    }


def _same_on_all(value: Any) -> Any:
    """Descriptions are docstrings, of which Python 3.13 strips the indentation and earlier versions do not."""
    if isinstance(value, list):
        return [_same_on_all(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: cleandoc(one) if key == "description" and isinstance(one, str) else _same_on_all(one)
        for key, one in value.items()
    }


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
        print(FOLDER.relative_to(FOLDER.parents[1]) / name)


if __name__ == "__main__":
    main()
