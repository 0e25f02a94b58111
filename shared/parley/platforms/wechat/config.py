"""Configuration of a WeChat Official Account, with the names that its console and the docs use."""

from collections.abc import Iterator
from typing import Literal

from parley import adapter
from parley.platforms.tencent import settings
from parley.platforms.tencent.callback import Console

_BASIC = "mp.weixin.qq.com › Settings and Development › Basic Configuration"
_SERVER = f"{_BASIC} › Server Configuration"
CONSOLE = Console(
    token=f"{_SERVER} › Token",
    key=f"{_SERVER} › EncodingAESKey",
    receiver=f"{_BASIC} › Developer ID (AppID)",
    id="app_id",
)
MODE_AT = f"{_SERVER} › Message Encryption"
SECRET_AT = f"{_BASIC} › Developer Password (AppSecret)"
ALLOW_LIST_AT = f"{_BASIC} › IP Allow-list"
ORIGINAL_ID_AT = "mp.weixin.qq.com › Settings and Development › Account Settings › Original ID"


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account. Raises msgspec.ValidationError, which names the field and where the console shows it."""

    app_id: str
    app_secret: str
    token: str
    encoding_aes_key: str = ""
    """Needed in every mode but `plain`."""
    previous_encoding_aes_key: str = ""
    """The key that the console showed before, for messages that were on their way when it was changed."""
    original_id: str = ""
    """`gh_...`: where it is set, callbacks for another account are refused, in plain mode too."""
    mode: Literal["plain", "compatible", "safe"] = "safe"
    """The least that a callback has to offer. `plain` takes encrypted ones too where there is a key, so that an account
    can be moved: first the key here, then the console, then the mode here. The other two take encrypted ones only:
    what compatible mode sends in plain besides is signed by nothing."""
    reply_mode: Literal["active", "passive"] = "active"
    """`active`: by customer-service message. `passive`: in the callback's response, for accounts without that right."""
    host: str = "https://api.weixin.qq.com"

    def __post_init__(self) -> None:
        settings.complaints(self._checks())

    @property
    def replies_passively(self) -> bool:
        """Whether replies go back with the callback itself where they can."""
        return self.reply_mode == "passive"

    @property
    def keys(self) -> tuple[str, ...]:
        """The EncodingAESKeys to try, in this order."""
        return tuple(key for key in (self.encoding_aes_key, self.previous_encoding_aes_key) if key)

    @property
    def receivers(self) -> frozenset[str]:
        """The ids that an encrypted callback may be meant for."""
        return frozenset((self.app_id,))

    def _checks(self) -> Iterator[str]:
        yield from settings.check_filled("app_id", self.app_id, CONSOLE.receiver)
        yield from settings.check_filled("app_secret", self.app_secret, SECRET_AT)
        yield from settings.check_filled("token", self.token, CONSOLE.token)
        if self.encoding_aes_key or self.mode != "plain":
            yield from settings.check_key("encoding_aes_key", self.encoding_aes_key, CONSOLE.key)
        if self.previous_encoding_aes_key:
            yield from settings.check_key("previous_encoding_aes_key", self.previous_encoding_aes_key, CONSOLE.key)
        if self.original_id and not self.original_id.startswith("gh_"):
            yield f"original_id: begins with gh_; see {ORIGINAL_ID_AT}"
        yield from settings.check_host("host", self.host)
