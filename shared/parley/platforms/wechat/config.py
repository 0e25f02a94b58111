"""The configuration of a WeChat Official Account. Its fields have the names of the console and the docs."""

from collections.abc import Iterator
from typing import Literal

from parley.platforms.tencent import settings
from parley.platforms.tencent.callback import CallbackKeys, Console

_BASIC = "mp.weixin.qq.com › Settings and Development › Basic Configuration"
_SERVER = f"{_BASIC} › Server Configuration"
CONSOLE = Console(
    token=f"{_SERVER} › Token",
    key=f"{_SERVER} › EncodingAESKey",
    receiver=f"{_BASIC} › Developer ID (AppID)",
    receiver_field="app_id",
)
MODE_AT = f"{_SERVER} › Message Encryption"
SECRET_AT = f"{_BASIC} › Developer Password (AppSecret)"
ALLOW_LIST_AT = f"{_BASIC} › IP Allow-list"
ORIGINAL_ID_AT = "mp.weixin.qq.com › Settings and Development › Account Settings › Original ID"


class Config(settings.CallbackConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account. Raises msgspec.ValidationError, which names the field and the page of the console."""

    app_id: str
    app_secret: str
    encoding_aes_key: str = ""
    """Required unless `mode` is `plain`."""
    original_id: str = ""
    """`gh_...`. If it is set, callbacks for another account are refused, also in plain mode."""
    mode: Literal["plain", "compatible", "safe"] = "safe"
    """The least protection that a callback must have. `compatible` and `safe` accept encrypted callbacks only: nothing
    signs the plain copy that compatible mode sends beside the encrypted one. `plain` accepts encrypted callbacks too if
    there is a key. So an account can leave plain mode: add the key here, change the console, then change `mode` here.
    """
    host: str = "https://api.weixin.qq.com"

    def __post_init__(self) -> None:
        settings.raise_all(self._problems())

    @property
    def callback_keys(self) -> CallbackKeys:
        """What authenticates a callback."""
        return CallbackKeys(self.token, self.keys, frozenset((self.app_id,)), CONSOLE)

    def _problems(self) -> Iterator[str]:
        yield from settings.check_filled("app_id", self.app_id, CONSOLE.receiver)
        yield from settings.check_filled("app_secret", self.app_secret, SECRET_AT)
        yield from self.callback_problems(CONSOLE, needs_key=self.mode != "plain")
        if self.original_id and not self.original_id.startswith("gh_"):
            yield f"original_id: must begin with gh_; see {ORIGINAL_ID_AT}"
        yield from settings.check_host("host", self.host)
