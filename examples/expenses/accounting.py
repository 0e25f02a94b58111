"""The accounting service. Replace this by the calls of yours."""

from decimal import Decimal

import httpx

from parley.bot import Secret

_SECONDS = 5


def book(url: str, token: Secret, amount: Decimal, purpose: str, key: str) -> str:
    """Book an expense once for each `key`. Returns the number of the receipt, which is `key` without a service.

    Raises httpx.HTTPError if the service does not answer, or refuses it.
    """
    if not url:
        return key[:8]
    headers = {"Authorization": f"Bearer {token.reveal()}", "Idempotency-Key": key}
    body = {"amount": str(amount), "purpose": purpose}
    answer = httpx.post(url, json=body, headers=headers, timeout=_SECONDS)
    answer.raise_for_status()
    return str(answer.json()["id"])
