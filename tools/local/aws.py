"""The AWS emulator: its address, and clients for it."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Aws:
    """The emulated AWS behind `endpoint`."""

    endpoint: str

    def client(self, service: str) -> Any:
        """A boto3 client for `service`, with the credentials of the account's root."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # the emulator does not check it
            config=Config(retries={"total_max_attempts": 3}, connect_timeout=5, read_timeout=60),
        )

    def environment(self) -> dict[str, str]:
        """Environment variables with which any AWS tool uses the emulator only."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }
