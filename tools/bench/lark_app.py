"""A callback function written with lark-oapi, only for the benchmark.

It does the same work as Parley's: configuration from SSM, verify, decrypt, send to SQS, acknowledge.
"""

import base64
import json
import os
from typing import Any

import boto3
import lark_oapi as lark
from lark_oapi.core.model import RawRequest


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one API Gateway event."""
    name = f"/parley/{os.environ['PARLEY_STAGE']}/feishu/{event['pathParameters']['app']}"
    stored = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    config = json.loads(stored.get("Value", "{}"))
    received: list[Any] = []
    builder = lark.EventDispatcherHandler.builder(config["encrypt_key"], config["verification_token"])
    dispatcher = builder.register_p2_im_message_receive_v1(received.append).build()
    request = RawRequest()
    request.uri, request.headers, request.body = "/", event["headers"], base64.b64decode(event["body"])
    answer = dispatcher.do(request)
    for message in received:
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["PARLEY_INBOUND_URL"],
            MessageBody=lark.JSON.marshal(message) or "",
            MessageGroupId=message.event.message.chat_id,
            MessageDeduplicationId=message.event.message.message_id,
        )
    return {"statusCode": answer.status_code, "body": (answer.content or b"").decode()}
