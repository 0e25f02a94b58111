"""A bot of one function with wechatpy, only for the benchmark: configuration, verify, decrypt, parse, call the API.

It has no queue and no journal. WeChat waits until its reply is sent.
"""

import base64
import json
import os
from typing import Any

import boto3
from wechatpy import WeChatClient, parse_message
from wechatpy.crypto import WeChatCrypto


class _Client(WeChatClient):
    """wechatpy's client. The address of the token is fixed in wechatpy; here it is that of the simulation."""

    API_BASE_URL: str = ""  # pyright: ignore[reportIncompatibleVariableOverride]

    def fetch_access_token(self) -> Any:
        """Fetch a token."""
        params = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return self._fetch_access_token(url=f"{self.API_BASE_URL}token", params=params)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one API Gateway event."""
    name = f"/parley/{os.environ['PARLEY_STAGE']}/wechat/{event['pathParameters']['app']}"
    stored = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    config = json.loads(stored.get("Value", "{}"))
    crypto = WeChatCrypto(config["token"], config["encoding_aes_key"], config["app_id"])
    query = event["queryStringParameters"]
    signed = query["msg_signature"], query["timestamp"], query["nonce"]
    message: Any = parse_message(crypto.decrypt_message(base64.b64decode(event["body"]), *signed))
    _Client.API_BASE_URL = f"{config['host']}/cgi-bin/"
    _Client(config["app_id"], config["app_secret"]).message.send_text(message.source, "1")
    return {"statusCode": 200, "body": "success"}
