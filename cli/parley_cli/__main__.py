"""The entry point: `parley`, or `python -m parley_cli`."""

import sys

_MISSING = "error: the command line needs typer and rich: pipx install '.[cli]' in a checkout of Parley"


def main() -> None:
    """Run the command line, and end the process."""
    try:
        from parley_cli.main import run  # noqa: PLC0415  # without the extra `cli`, one sentence says what is missing
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(_MISSING)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
