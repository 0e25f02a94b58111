"""Secrets of organisations and persons, encrypted for their rows, with the KMS key of the stage.

A data key of KMS encrypts a secret (AES-256-GCM), and is stored beside it, encrypted by KMS. KMS compares the app when
it decrypts: a row that is copied to another app cannot be read. The secret names its owner: a row that is copied to
another one cannot be read either.
"""

import base64

from parley.crypto import seal, unseal
from parley.engine.aws import kms, setting
from parley.errors import ParleyError


class SecretUnreadableError(ParleyError, ValueError):
    """The stored secret is not that of this owner, or was changed."""


class DataKey:
    """A key for the secrets of an app of `platform`. `wrapped`: that of a stored secret; None: a new one.

    Raises AwsError.
    """

    __slots__ = ("_clear", "_wrapped")

    def __init__(self, platform: str, app: str, wrapped: str | None = None) -> None:
        context = {"parley": setting("STAGE"), "platform": platform, "app": app}
        key = f"alias/parley-{setting('STAGE')}-tenants"
        if wrapped is None:
            answer = kms().generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
            wrapped = base64.b64encode(answer["CiphertextBlob"]).decode()
        else:
            answer = kms().decrypt(KeyId=key, CiphertextBlob=base64.b64decode(wrapped), EncryptionContext=context)
        self._clear, self._wrapped = base64.b64encode(answer["Plaintext"]).decode(), wrapped

    @classmethod
    def of(cls, platform: str, app: str, stored: str) -> "DataKey":
        """The key of what `encrypted` has returned. Raises AwsError."""
        return cls(platform, app, stored.partition(".")[0])

    def encrypted(self, owner: str, secret: str) -> str:
        """`secret`, as the row of `owner` holds it. `owner` has no space."""
        return f"{self._wrapped}.{seal(self._clear, f'{owner} {secret}')}"

    def decrypted(self, owner: str, stored: str) -> str:
        """The secret of `owner`. Raises SecretUnreadableError."""
        try:
            found, _, secret = unseal(self._clear, stored.partition(".")[2]).partition(" ")
        except ValueError as error:
            raise SecretUnreadableError("the stored secret was changed") from error
        if found != owner:
            raise SecretUnreadableError("the stored secret is that of somebody else")
        return secret
