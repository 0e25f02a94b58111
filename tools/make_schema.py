"""Writes the JSON Schema of the queue messages and of what programs send into docs/schema, for other languages.

    python -m tools.make_schema

`tests/unit/test_schema.py` fails if the files differ from the model.
"""

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

from parley.model import Message, Outgoing
from parley.model.codec import schema
from parley.model.sending import Sending

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def schemas() -> dict[str, str]:
    """The files by name: `message.json` for the inbound queue, `outgoing.json` for the outbound queue, `sending.json`
    for the detail of an event `parley.send`.
    """
    return {
        f"{kind.__name__.lower()}.json": json.dumps(without_indentation(schema(kind)), indent=2, ensure_ascii=False)
        + "\n"
        for kind in (Message, Outgoing, Sending)
    }


def without_indentation(value: Any) -> Any:
    """`value` with descriptions as of Python 3.13, which strips the indentation of docstrings."""
    if isinstance(value, list):
        return [without_indentation(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: cleandoc(one) if key == "description" and isinstance(one, str) else without_indentation(one)
        for key, one in value.items()
    }


def main() -> None:
    """Write all files, and print their names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
        print(FOLDER.relative_to(FOLDER.parents[1]) / name)


if __name__ == "__main__":
    main()
