"""lark-oapi, Feishu's own SDK. On Python 3.12 and later importing it warns: its protobuf uses `utcfromtimestamp`."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import lark_oapi as lark
    from lark_oapi.api.im.v1 import CreateMessageReactionRequest, CreateMessageReactionRequestBody, Emoji
    from lark_oapi.card.action_handler import CardActionHandler
    from lark_oapi.core.log import logger
    from lark_oapi.core.model import RawRequest
    from lark_oapi.core.utils import AESCipher
    from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
    from lark_oapi.event.dispatcher_handler import EventDispatcherHandler

__all__ = [
    "AESCipher",
    "CardActionHandler",
    "CreateMessageReactionRequest",
    "CreateMessageReactionRequestBody",
    "Emoji",
    "EventDispatcherHandler",
    "P2CardActionTriggerResponse",
    "RawRequest",
    "lark",
    "logger",
]
