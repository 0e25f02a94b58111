"""A fake KMS. It encrypts nothing: a ciphertext is the number of a data key, and knows what belongs to it."""

import base64
from dataclasses import dataclass, field
from typing import Any

from tools.faults.dynamodb import ServiceError


@dataclass(slots=True)
class Keys:
    """The data keys of one account, each with its encryption context."""

    made: list[tuple[bytes, dict[str, str]]] = field(default_factory=list[tuple[bytes, dict[str, str]]])

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Carry out `GenerateDataKey` or `Decrypt`. In a request of botocore, bytes are Base64. Raises ServiceError."""
        context = body.get("EncryptionContext") or {}
        if operation == "GenerateDataKey":
            self.made.append((len(self.made).to_bytes(32, "big"), context))
            return {"Plaintext": self.made[-1][0], "CiphertextBlob": f"key-{len(self.made) - 1}".encode()}
        blob = body["CiphertextBlob"]
        text = blob.decode() if isinstance(blob, bytes) else base64.b64decode(blob).decode()
        number = text.removeprefix("key-")
        if not number.isdecimal() or int(number) >= len(self.made) or self.made[int(number)][1] != context:
            raise ServiceError("InvalidCiphertextException")
        return {"Plaintext": self.made[int(number)][0]}
