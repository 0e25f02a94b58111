"""The configuration of a WeCom smart bot. Its fields have the names of the admin console and the docs."""

from collections.abc import Iterator

from parley.platforms.tencent import settings
from parley.platforms.tencent.callback import CallbackKeys, Console

_BOT = "work.weixin.qq.com › Management Tools › Smart Bots › (the bot) › API mode › URL"
CONSOLE = Console(
    token=f"{_BOT} › Token",
    key=f"{_BOT} › EncodingAESKey",
    receiver=f"{_BOT}: it has to be a bot of your own company",
    receiver_field="encoding_aes_key",
)
_NOBODY = frozenset({""})
"""The id of the receiver at the end of the encrypted content: a bot of one's own company has none."""


class Config(settings.EncryptedConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One smart bot. It has no secret and no access token. Raises msgspec.ValidationError, which names the field."""

    bot_id: str = ""
    """`aibotid` of its callbacks. If it is given, callbacks of any other bot are refused."""
    name: str = ""
    """The name that people see. A message in a group has it after an `@`, and the bot gets the rest. Without it, the
    first word that begins with an `@` is left out."""
    feedback: bool = False
    """Whether people can judge each answer: the event is `feedback_event`."""
    host: str = "https://qyapi.weixin.qq.com"

    def __post_init__(self) -> None:
        settings.raise_all(self._problems())

    @property
    def callback_keys(self) -> CallbackKeys:
        """What authenticates a callback."""
        return CallbackKeys(self.token, self.keys, _NOBODY, CONSOLE)

    def _problems(self) -> Iterator[str]:
        yield from self.callback_problems(CONSOLE)
        yield from settings.check_host("host", self.host)
