"""The two forms of a function's name: its folder in functions/, and its logical id in template.yaml."""

import re


def logical_id(folder: str) -> str:
    """`DemoX` for `demo_x`. The function of the template is `DemoXFunction`."""
    return "".join(part.capitalize() for part in folder.split("_"))


def folder_of(logical_id: str) -> str:
    """`demo_x` for `DemoX`."""
    return re.sub(r"(?<=.)(?=[A-Z])", "_", logical_id).lower()
