"""The configurations of the apps: one SecureString of SSM each, `/parley/STAGE/PLATFORM/APP`."""

from typing import NamedTuple

from botocore.exceptions import ClientError

from parley.engine.apps import is_configured_name
from parley.engine.aws import error_code
from parley.platforms import NAMES
from parley_cli.place import Place
from parley_cli.problems import Problem

_SECURE = "SecureString"


class Stored(NamedTuple):
    """A stored configuration. `secure`: whether SSM encrypts it."""

    raw: str
    secure: bool


def path(place: Place, platform: str, app: str) -> str:
    """The name of the parameter. Raises Problem if no app can have that name."""
    if not is_configured_name(app):
        raise Problem(
            f"The name {app!r} is not allowed for an app.",
            "Use up to 64 letters, digits, dots, underscores and hyphens; a letter or a digit first. It is part of the "
            "callback URL.",
        )
    return f"/parley/{place.stage}/{platform}/{app}"


def names(place: Place) -> list[tuple[str, str]]:
    """The platform and the name of each app."""
    prefix = f"/parley/{place.stage}/"
    pages = place.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=prefix, Recursive=True)
    listed = [one["Name"].removeprefix(prefix).split("/") for page in pages for one in page["Parameters"]]
    return sorted((one[0], one[1]) for one in listed if len(one) == 2 and one[0] in NAMES)


def read(place: Place, platform: str, app: str) -> Stored:
    """The stored configuration. Raises Problem if there is none."""
    name = path(place, platform, app)
    try:
        found = place.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        others = [f"{each}/{other}" for each, other in names(place)]
        there = f" The stage has {', '.join(others)}." if others else " The stage has no app."
        raise Problem(
            f"The app {platform}/{app} does not exist: there is no parameter {name}.{there}",
            f"Add it with `parley app add {platform}/{app}{options(place)}`, or check the stage and the region.",
        ) from error
    return Stored(found.get("Value", ""), found.get("Type") == _SECURE)


def write(place: Place, platform: str, app: str, raw: str, *, replace: bool) -> None:
    """Store a configuration, encrypted. Raises Problem if there is one and `replace` is False."""
    name = path(place, platform, app)
    try:
        place.client("ssm").put_parameter(Name=name, Value=raw, Type=_SECURE, Overwrite=replace)
    except ClientError as error:
        if error_code(error) != "ParameterAlreadyExists":
            raise
        raise Problem(
            f"The app {platform}/{app} exists already.",
            f"Change one field with `parley app rotate {platform}/{app} FIELD`, or add it with --replace.",
        ) from error


def delete(place: Place, platform: str, app: str) -> None:
    """Delete a configuration. Raises Problem if there is none."""
    name = path(place, platform, app)
    read(place, platform, app)
    place.client("ssm").delete_parameter(Name=name)


def options(place: Place) -> str:
    """The options that name `place`, to be put behind a command."""
    usual = place.stack in ("", f"parley-{place.stage}")
    return "" if place.is_local else f" --stage {place.stage}{'' if usual else f' --stack {place.stack}'}"
