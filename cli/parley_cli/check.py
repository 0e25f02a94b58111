"""The checks of one app: its configuration, and whether the platform knows its credentials."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from msgspec.structs import fields

from parley.adapter import Answer, App, Call, Config, TokenUnavailableError
from parley.engine.apps import decode
from parley.engine.http import CallError, Http
from parley.journal.credentials import load_credentials
from parley.platforms import config_type, outbound
from parley_cli import setups, store, tokens
from parley_cli.findings import Finding, note, of_problem, ok, problem
from parley_cli.place import Place
from parley_cli.problems import Problem

_MISSING = re.compile(r"missing required field `(\w+)`")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`")


def client() -> httpx.Client:
    """The client for the platforms. Tests replace it by an imitation of them."""
    return httpx.Client(follow_redirects=False)


def check(place: Place, platform: str, name: str) -> Iterator[Finding]:
    """What is right and wrong with an app of `place`, as far as it can be seen from here."""
    about = f"{platform}/{name}"
    try:
        stored = store.read(place, platform, name)
        config = decoded(platform, name, stored.raw)
    except Problem as error:
        yield of_problem(error)
        return
    yield ok(f"{about}: the configuration is valid.")
    if not stored.secure:
        yield problem(
            f"{about}: the parameter is not encrypted: everyone who may read parameters sees the secrets.",
            f"Delete it with `parley app remove {about}`, and add it again: its type becomes SecureString.",
        )
    app = App(platform, name, config)
    with client() as connection:
        findings = list(credentials(place, app, connection))
        yield from findings
        afterwards = setups.of(platform).afterwards
        if afterwards is not None and all(finding.level == "ok" for finding in findings):
            url = "" if place.is_local else place.callback_url(platform, name)
            yield from afterwards(app, _asking(connection), url)


def decoded(platform: str, name: str, raw: str) -> Config:
    """The configuration in `raw`. Raises Problem, which names the field and where its value is, and never the value."""
    store_again = f"Store it again: `parley app add {platform}/{name} --replace`."
    try:
        return decode(platform, raw)
    except msgspec.ValidationError as error:
        raise _invalid(platform, name, str(error)) from error
    except msgspec.DecodeError as error:
        raise Problem(f"The configuration of {platform}/{name} is not JSON. {error}.", store_again) from error
    except ValueError as error:
        raise _invalid(platform, name, str(error)) from error


def _invalid(platform: str, name: str, reason: str) -> Problem:
    about = f"The configuration of {platform}/{name}"
    guide = f"{setups.of(platform).guide} lists the fields."
    if found := _MISSING.search(reason):
        return Problem(f"{about} lacks the field `{found[1]}`.", _where(platform, found[1]) or guide)
    if found := _UNKNOWN.search(reason):
        known = ", ".join(field.name for field in fields(config_type(platform)))
        return Problem(f"{about} has the field `{found[1]}`, which does not exist.", f"The fields are {known}.")
    place = _PATH.search(reason)
    if place is not None:
        reason = f"{place[1]}: {_PATH.sub('', reason)}" if place[1] else _PATH.sub("", reason)
    field = reason.partition(":")[0]
    change = f"Store the right value: `parley app rotate {platform}/{name} {field}`." if field.isidentifier() else guide
    return Problem(f"{about} cannot work. {reason}.", change)


def _where(platform: str, field: str) -> str:
    """The page of the console that shows a field; empty if it is not declared."""
    for form in setups.of(platform).forms.values():
        for each in form:
            if each.name == field:
                return f"Its value is at {each.at}."
    return ""


def credentials(place: Place, app: App, connection: httpx.Client) -> Iterator[Finding]:
    """Whether the platform knows the credentials of `app`."""
    setup = setups.of(app.platform)
    try:
        if setup.probe is not None:
            yield from setup.probe(app, _asking(connection))
        elif setup.has_token:
            yield from _token(place, app, connection)
        else:
            yield note(f"{app.platform}/{app.name}: {setup.label} has no access token, so only a message can test it.")
    except CallError as error:
        yield problem(
            f"{setup.label} does not answer: {error}.",
            "Check the network of this machine, and `host` if you have set it.",
        )


def _token(place: Place, app: App, connection: httpx.Client) -> Iterator[Finding]:
    setup, platform = setups.of(app.platform), outbound(app.platform)
    names = platform.PROFILE.pushed_credentials
    if names and getattr(app.config, "app_type", "") == "store":
        yield note("A store app has a token for each organisation: it is not checked here.")
        return
    pushed = load_credentials(place.client("dynamodb"), place.table, app, names) if app.config.has_tenants else {}
    try:
        tokens.fetch(platform, app, Http(connection), time.time(), pushed)
    except TokenUnavailableError as error:
        yield _refused(place, app, error)
        return
    yield ok(f"{setup.label} gives an access token to {app.platform}/{app.name}.")


def _refused(place: Place, app: App, error: TokenUnavailableError) -> Finding:
    setup, reason = setups.of(app.platform), str(error)
    if setup.address_list and setup.address_list in reason and app.config.replies_passively:
        return note(f"{setup.label} refuses the address of the caller, which passive replies do not need: {reason}.")
    if setup.address_list and setup.address_list in reason:
        return problem(
            f"{setup.label} refuses the address of the caller: {reason}.",
            f"Add {_address_of(place)} to {setup.address_list}. This check was made from this machine, whose address "
            "may be another one.",
        )
    if error.retry_after is None:
        return problem(
            f"{setup.label} does not accept the credentials: {reason}.",
            "Compare the field with the console, character by character. Store the right value with `parley app rotate "
            f"{app.platform}/{app.name} FIELD`.",
        )
    return note(f"{setup.label} gives no access token now: {reason}.", "Check again in a minute.")


def _address_of(place: Place) -> str:
    """The address from which the deployment calls, in words."""
    if place.is_local:
        return "the address of this machine"
    address = place.outputs.get("FixedAddress", "")
    if address:
        return f"{address}, the address of the deployment,"
    return "the address of the deployment (it has no fixed one: see docs/fixed-address.md)"


def _asking(connection: httpx.Client) -> setups.Ask:
    http = Http(connection)

    def ask(call: Call, token: str) -> Answer:
        return http.perform(call, token)

    return ask


def app_of(platform: str, name: str, values: dict[str, Any]) -> App:
    """The app with these values. Raises Problem if they are not valid."""
    return App(platform, name, decoded(platform, name, msgspec.json.encode(values).decode()))
