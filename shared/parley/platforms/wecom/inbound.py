"""Callbacks of WeCom apps: the console's verification, messages, events, card clicks, and passive replies to them."""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from parley.adapter import Accepted, App, PassiveReply, Rejected, Request, Response, name_in
from parley.crypto import seal, unseal
from parley.model import Action, Message, Outgoing
from parley.platforms.tencent import passive
from parley.platforms.tencent.buttons import unpack
from parley.platforms.tencent.callback import (
    check_age,
    decrypted,
    is_echo,
    is_from_account,
    parsed,
    query_parameter,
    verification,
)
from parley.platforms.tencent.envelope import Decrypted
from parley.platforms.tencent.fields import Fields, repeated
from parley.platforms.tencent.messages import Source, created, event, message, press
from parley.platforms.wecom.card_types import MENUS, VOTE
from parley.platforms.wecom.config import AGENT_AT, COMPANY, RESPONSE_CODE_LIFETIME, SUITE_CONSOLE, Config
from parley.untrusted import mapping, mappings, parse_integer, text, texts

_SUCCESS = Response(body=b"success", content_type="text/plain")
"""The response to a command of the provider platform. It counts any other response as an error."""
_PRESSES = ("template_card_event", "template_card_menu_event", "taskcard_click")
_SEALED = {
    "kf_msg_or_event": ("Token", 600),
    "create_auth": ("AuthCode", 600),
    "reset_permanent_code": ("AuthCode", 600),
    "change_external_contact": ("WelcomeCode", 20),
}
"""Events and commands whose credential the bot needs, with the field and the seconds for which it is valid (WeCom docs:
Receiving messages and events of customer service; Pushing of the authorisation; Changes of external contacts). It is
sealed like any reply token; the bot reads it with `Turn.credential`."""

_AUTHORISATIONS: Mapping[str, Literal["granted", "changed", "withdrawn"]] = {
    "create_auth": "granted",
    "reset_permanent_code": "granted",
    "change_auth": "changed",
    "cancel_auth": "withdrawn",
}
"""Commands about the installation of an app of a provider (WeCom docs: Pushing of the authorisation)."""

_COMMANDS = frozenset(
    "change_contact share_agent_change share_chain_change corp_arch_auth approve_special_auth cancel_special_auth "
    "open_order change_order pay_for_app_success refund cancel_order change_editon batch_job_result "
    "customer_acquisition conversation_new_message hit_keyword device_data_auth_change "
    "register_corp enter_register_package license_pay_success license_refund auto_activate "
    "agree_external_userid_migration".split()
).union(_AUTHORISATIONS)
_COMMANDS_BEGIN = ("change_external_", "change_school_contact", "chat_archive_", "advanced_api_")
"""Commands that WeCom documents, and families of them (WeCom docs: Third-party apps, Callbacks). `change_editon` is
spelt so."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """Verify, decrypt and normalise one callback. Never raises."""
    config: Config = app.config
    match request.method:
        case "GET":
            return verification(request, config.verification_keys, now, is_echo)
        case "POST":
            return _delivery(request, app, now)
        case _:
            return Rejected(405, "malformed", "neither GET nor POST")


def passive_reply(
    request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
) -> PassiveReply:
    """The response with as many of `replies` as fit; see `parley.adapter.SupportsPassiveReply`."""
    config: Config = app.config
    keys = config.callback_keys
    return passive.passive_reply(passive.WECOM, request, keys, message, replies, now, encrypted=True)


def credential(message: Message, app: App) -> str:
    """See `parley.adapter.SupportsCredentials`. The credential of an event (`_SEALED`), or the code of a press."""
    return unseal(app.config.seals_with, message.context.reply_token)


def _delivery(request: Request, app: App, now: float) -> Accepted | Rejected:
    config: Config = app.config
    envelope = parsed(request.body)
    if isinstance(envelope, Rejected):
        return envelope
    encrypted = text(envelope.get("Encrypt")) or text(envelope.get("encrypt"))
    if not encrypted:
        return Rejected(401, "forged", "the body is not encrypted")
    # Nothing signs the `ToUserName` of the envelope. The receiver is read from the decrypted content.
    content = decrypted(request, config.callback_keys, encrypted, now)
    if isinstance(content, Rejected):
        return content
    fields = parsed(content.text.encode())
    if isinstance(fields, Rejected):
        return fields
    rejected = check_age(fields, now)
    if rejected is not None:
        return rejected
    received = int(query_parameter(request, "timestamp"))
    if name := text(fields.get("InfoType")):
        tenant = text(fields.get("AuthCorpId"))
        return _misdirected_command(fields, content, config) or command(
            name, Source(app, fields, received, tenant), config
        )
    if not text(fields.get("MsgType")):
        return Rejected(400, "malformed", "neither MsgType nor InfoType: not a callback of an app")
    source = Source(_in_company(app, content.receiver), fields, received, content.receiver)
    return _misdirected(fields, content, config) or _message(source, config)


def _in_company(app: App, company: str) -> App:
    """`app` under its name in `company`, if companies install it. Two of them may have persons with the same id."""
    return App(app.platform, name_in(app.name, company), app.config, app) if app.config.has_tenants else app


def _misdirected_command(fields: Fields, content: Decrypted, config: Config) -> Rejected | None:
    """A rejection unless the command is for this app of a provider, and about a company that can be one."""
    if not config.suite_id:
        return None
    if not content.receiver == text(fields.get("SuiteId")) == config.suite_id:
        return Rejected(
            401, "forged", f"the command is for another app: compare `suite_id` with {SUITE_CONSOLE.receiver}"
        )
    company = text(fields.get("AuthCorpId"))
    if company and COMPANY.fullmatch(company) is None:
        return Rejected(400, "malformed", "AuthCorpId is not the id of a company")
    return None


def _misdirected(fields: Fields, content: Decrypted, config: Config) -> Rejected | None:
    """A rejection unless the content is for this app. Nothing but its fields distinguishes a message from the bot's own
    passive reply to it, which has the same signature and encryption.
    """
    receivers = {config.corp_id, *config.receive_ids, content.receiver}
    if config.suite_id:
        # Another company, or the app itself, is as wrong as a stranger.
        receivers = {content.receiver} - {config.suite_id}
    if text(fields.get("ToUserName")) not in receivers or is_from_account(fields, receivers - {""}):
        return Rejected(401, "forged", "the content is not addressed to the company, or is sent by it")
    agent = text(fields.get("AgentID"))
    # Each company has its own agent id for a third-party app, and events of the contacts have none.
    if agent and content.receiver == config.corp_id and agent != str(config.agent_id):
        return Rejected(401, "forged", f"for another app: compare `agent_id` with {AGENT_AT}")
    return None


def _message(source: Source, config: Config) -> Accepted:
    msg_type, name = text(source.fields.get("MsgType")), text(source.fields.get("Event")).lower()
    if msg_type != "event":
        found = message(source)
    elif name in _PRESSES:
        found = _press(source, config)
    else:
        found = _event(source, name or "unknown", config)
    seconds = passive.seconds_to_wait(found, passive.WECOM, replies_passively=config.replies_passively)
    return Accepted(passive.WECOM.empty, (found,), passive_reply_within=seconds)


def _event(source: Source, name: str, config: Config) -> Message:
    """An event or a command, with its credential sealed if the bot needs it."""
    field, lifetime = _SEALED.get(name, ("", 0))
    credential = text(source.fields.get(field))
    if not credential:
        return event(source, name)
    return event(source, name, reply_token=seal(config.seals_with, credential), expires=created(source) + lifetime)


def _press(source: Source, config: Config) -> Message:
    """A click on a template card. Its `ResponseCode` allows one update of the card."""
    fields = source.fields
    key, kind = unpack(text(fields.get("EventKey"))), text(fields.get("CardType"))
    items = mappings(repeated(mapping(fields.get("SelectedItems")).get("SelectedItem")))
    chosen = {text(item.get("QuestionKey")): _options(item) for item in items}
    action = Action(
        id=key.id,
        value=key.value,
        message_id=text(fields.get("TaskId")),
        # A vote shows a menu, several menus show a form (`cards`).
        form={} if kind == VOTE else {question: ",".join(options) for question, options in chosen.items()},
        options=() if kind == MENUS else tuple(option for options in chosen.values() for option in options),
    )
    code = text(fields.get("ResponseCode"))
    if not code:
        return press(source, action)
    expires = created(source) + RESPONSE_CODE_LIFETIME
    return press(source, action, reply_token=seal(config.seals_with, code), expires=expires)


def _options(item: Fields) -> tuple[str, ...]:
    return texts(repeated(mapping(item.get("OptionIds")).get("OptionId")))


def command(name: str, source: Source, config: Config) -> Accepted:
    """A command of the provider platform about third-party apps. The suite ticket is a credential, not a message."""
    if name == "suite_ticket":
        ticket, issued_at = text(source.fields.get("SuiteTicket")), parse_integer(source.fields.get("TimeStamp"))
        return Accepted(
            _SUCCESS,
            credentials={"suite_ticket": ticket} if ticket else {},
            credentials_issued_at=issued_at or source.received,
        )
    found = _event(source, name, config)
    if config.suite_id:
        found = _of_provider(found, source)
    return Accepted(_SUCCESS, (found,), is_known=name in _COMMANDS or name.startswith(_COMMANDS_BEGIN))


def _of_provider(found: Message, source: Source) -> Message:
    """The event of a command to an app of a provider: for the engine if it is about the installation, else for the bot,
    in the name of the company that it is about.
    """
    authorisation = _AUTHORISATIONS.get(found.event)
    needed = found.context.reply_token if authorisation == "granted" else source.tenant
    if authorisation is not None and needed:
        # The company of a new installation is not known. Under the id of the app, all would wait for each other.
        sender = replace(found.sender, id=source.tenant or found.id)
        return replace(found, sender=sender, context=replace(found.context, authorisation=authorisation))
    return replace(found, app=name_in(found.app, source.tenant))
