"""Verifies one webhook as its receiver does, with the library of the Standard Webhooks project.

Standard input is a JSON object: secret, headers, body. It ends with status 0 if the signature is right.
"""

import json
import sys

from standardwebhooks import Webhook

webhook = json.load(sys.stdin)
Webhook(webhook["secret"]).verify(webhook["body"], webhook["headers"])
