"""A bot of one function with discord-interactions, only for the benchmark: configuration, verify, parse, respond.

The package has no client for Discord's API, so the response to the interaction is the reply. It has no queue and no
journal.
"""

import base64
import json
import os
from typing import Any

import boto3
from discord_interactions import InteractionResponseType, verify_key


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one API Gateway event."""
    name = f"/parley/{os.environ['PARLEY_STAGE']}/discord/{event['pathParameters']['app']}"
    stored = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    config = json.loads(stored.get("Value", "{}"))
    headers, body = event["headers"], base64.b64decode(event["body"])
    if not verify_key(body, headers["X-Signature-Ed25519"], headers["X-Signature-Timestamp"], config["public_key"]):
        return {"statusCode": 401, "body": ""}
    interaction = json.loads(body)
    reply = {
        "type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE,
        "data": {"content": f"1 {interaction['data']['name']}"},
    }
    return {"statusCode": 200, "body": json.dumps(reply)}
