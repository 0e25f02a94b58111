"""A bot of one function with lark-oapi, only for the benchmark: configuration, verify, decrypt, parse, call the API.

It has no queue and no journal. Feishu waits until its reply is sent.
"""

import base64
import json
import os
from typing import Any

import boto3
import lark_oapi as lark
from lark_oapi.api.im.v1 import CreateMessageRequest, CreateMessageRequestBody
from lark_oapi.core.model import RawRequest


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one API Gateway event."""
    name = f"/parley/{os.environ['PARLEY_STAGE']}/feishu/{event['pathParameters']['app']}"
    stored = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    config = json.loads(stored.get("Value", "{}"))
    builder = lark.Client.builder().app_id(config["app_id"]).app_secret(config["app_secret"])
    client: Any = builder.domain(config["host"].removesuffix("/feishu")).log_level(lark.LogLevel.ERROR).build()

    def reply(received: Any) -> None:
        body = CreateMessageRequestBody.builder().receive_id(received.event.message.chat_id).msg_type("text")
        request = CreateMessageRequest.builder().receive_id_type("chat_id")
        sent = client.im.v1.message.create(request.request_body(body.content('{"text": "1"}').build()).build())
        if not sent.success():
            raise RuntimeError(sent.msg)

    dispatcher = lark.EventDispatcherHandler.builder(config["encrypt_key"], config["verification_token"])
    handler = dispatcher.register_p2_im_message_receive_v1(reply).build()
    request = RawRequest()
    request.uri, request.headers, request.body = "/", event["headers"], base64.b64decode(event["body"])
    answer = handler.do(request)
    return {"statusCode": answer.status_code, "body": (answer.content or b"").decode()}
