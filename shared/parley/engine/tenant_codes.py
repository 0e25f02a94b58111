"""The codes of tenants, as their rows hold them.

The data key exists before the code does: after a code is exchanged, which is possible once, nothing but the write of
its row can fail.
"""

from parley.engine.data_keys import DataKey
from parley.journal.tenants import Tenant


def decrypted(tenant: Tenant) -> str:
    """The code of `tenant`. Raises SecretUnreadableError, AwsError."""
    id_ = tenant.id
    return DataKey.of(id_.platform, id_.app, tenant.code).decrypted(id_.id, tenant.code)
