"""Reads posts to an incoming webhook with Slack's own library, which knows the limits of each block.

Standard input is a JSON array of payloads. It ends with status 0 if every block is one that Slack has, within its limits.
"""

import json
import sys

from slack_sdk.models.blocks import Block

for payload in json.load(sys.stdin):
    assert set(payload) == {"text", "blocks", "unfurl_links"}, payload.keys()
    assert 0 < len(payload["text"]) <= 40_000, len(payload["text"])
    assert 0 < len(payload["blocks"]) <= 50, len(payload["blocks"])
    for given in payload["blocks"]:
        block = Block.parse(given)
        block.validate_json()
        # What the library does not know would be missing here.
        assert block.to_dict() == given, (block.to_dict(), given)
