"""The codes of tenants, encrypted for their rows, with the KMS key of the stage.

A data key of KMS encrypts one code (AES-256-GCM), and is stored beside it, encrypted by KMS. The data key exists before
the code does: after a code is exchanged, which is possible once, nothing but the write of its row can fail.
"""

import base64

from parley.crypto import seal, unseal
from parley.engine.aws import kms, setting
from parley.errors import ParleyError
from parley.journal.tenants import Tenant, TenantId


class CodeUnreadableError(ParleyError, ValueError):
    """The stored code is not that of this tenant, or was changed."""


class DataKey:
    """A new key for the code of one tenant of `app`. Raises AwsError."""

    __slots__ = ("_clear", "_wrapped")

    def __init__(self, platform: str, app: str) -> None:
        answer = kms().generate_data_key(KeyId=_key(), KeySpec="AES_256", EncryptionContext=_context(platform, app))
        self._clear, self._wrapped = _secret(answer), base64.b64encode(answer["CiphertextBlob"]).decode()

    def encrypted(self, id_: TenantId, code: str) -> str:
        """`code`, as the row of `id_` holds it."""
        return f"{self._wrapped}.{seal(self._clear, f'{id_.id} {code}')}"


def decrypted(tenant: Tenant) -> str:
    """The code of `tenant`. Raises CodeUnreadableError, AwsError."""
    id_ = tenant.id
    wrapped, _, sealed = tenant.code.partition(".")
    answer = kms().decrypt(
        KeyId=_key(),
        CiphertextBlob=base64.b64decode(wrapped),
        EncryptionContext=_context(id_.platform, id_.app),
    )
    try:
        owner, _, code = unseal(_secret(answer), sealed).partition(" ")
    except ValueError as error:
        raise CodeUnreadableError("the stored code of a tenant was changed") from error
    if owner != id_.id:
        raise CodeUnreadableError("the stored code is that of another tenant")
    return code


def _key() -> str:
    """The alias of the key, as the template makes it."""
    return f"alias/parley-{setting('STAGE')}-tenants"


def _context(platform: str, app: str) -> dict[str, str]:
    """What KMS compares when it decrypts: a row that is copied to another app cannot be read."""
    return {"parley": setting("STAGE"), "platform": platform, "app": app}


def _secret(answer: dict[str, bytes]) -> str:
    return base64.b64encode(answer["Plaintext"]).decode()
