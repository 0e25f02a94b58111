"""The code of a tenant is readable with its own row and the KMS key of the stage only."""

import boto3
import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from parley.engine.data_keys import DataKey, SecretUnreadableError
from parley.engine.tenant_codes import decrypted
from parley.journal.tenants import Tenant, TenantId, TenantState

ID = TenantId("wecom", "demo", "wpA")
CODE = "permanent-code-0123456789"


@pytest.fixture(autouse=True)
def key(aws: None) -> None:
    kms = boto3.client("kms")
    made = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/parley-unit-tenants", TargetKeyId=made)


def tenant(code: str, id_: TenantId = ID) -> Tenant:
    return Tenant(id=id_, state=TenantState.ACTIVE, code=code)


def test_a_code_is_read_back_and_not_stored_in_clear_text() -> None:
    stored = DataKey("wecom", "demo").encrypted(ID.id, CODE)
    assert CODE not in stored
    assert decrypted(tenant(stored)) == CODE
    assert DataKey("wecom", "demo").encrypted(ID.id, CODE) != stored


def test_the_longest_code_fits() -> None:
    stored = DataKey("wecom", "demo").encrypted(ID.id, "x" * 512)
    assert decrypted(tenant(stored)) == "x" * 512


def test_a_code_in_the_row_of_another_company_is_refused() -> None:
    stored = DataKey("wecom", "demo").encrypted(ID.id, CODE)
    with pytest.raises(SecretUnreadableError, match="somebody else") as error:
        decrypted(tenant(stored, replace(ID, id="wpB")))
    assert CODE not in str(error.value)


def test_a_code_in_the_row_of_another_app_is_refused_by_kms() -> None:
    stored = DataKey("wecom", "demo").encrypted(ID.id, CODE)
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        decrypted(tenant(stored, replace(ID, app="other")))


def test_a_changed_code_is_refused() -> None:
    wrapped, _, sealed = DataKey("wecom", "demo").encrypted(ID.id, CODE).partition(".")
    other = DataKey("wecom", "demo").encrypted(ID.id, CODE).partition(".")[0]
    for changed in (f"{other}.{sealed}", f"{wrapped}.{sealed[:-8]}AAAAAAA="):
        with pytest.raises(SecretUnreadableError):
            decrypted(tenant(changed))
