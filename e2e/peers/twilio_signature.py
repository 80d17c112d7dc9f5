"""Signs a callback as Twilio does and validates one as its receivers do, with Twilio's own library.

Standard input is a JSON object: token, url, fields (pairs), signature. Standard output is another: the library's own
signature, and whether the given one is valid.
"""

import json
import sys

from twilio.request_validator import RequestValidator


class Form:
    """A form whose fields may be repeated, as the library takes them."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def getall(self, name):
        return [value for known, value in self.pairs if known == name]


callback = json.load(sys.stdin)
validator = RequestValidator(callback["token"])
form = Form(callback["fields"])
answer = {
    "signature": validator.compute_signature(callback["url"], form),
    "valid": validator.validate(callback["url"], form, callback["signature"]),
}
json.dump(answer, sys.stdout)
