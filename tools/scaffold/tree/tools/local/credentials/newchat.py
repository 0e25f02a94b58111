"""One app of NewChat."""

# Next: Return the fields of `Config`; name in `PRIVATE` the fields that only NewChat knows.

from typing import Any

from tools.local.credentials.generate import letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    demo = {
        "app_id": letters(16),
        "app_secret": letters(32),
        "signing_secret": letters(32),
        "host": f"{playground}/newchat",
    }
    return {"demo": demo}
