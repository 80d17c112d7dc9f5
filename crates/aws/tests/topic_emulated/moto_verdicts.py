"""Reads the table of filter policies and prints what moto makes of each case, as one JSON object by the case's name.

true, false: the message is sent, or is not. "refused": the policy is not taken. "fails": moto breaks over it.
"""

import json
import sys

from moto.core.exceptions import ServiceException
from moto.sns.models import sns_backends


def attribute(value):
    """A message attribute as `Publish` would have it."""
    if isinstance(value, str):
        return {"Type": "String", "Value": value}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"Type": "Number", "Value": json.dumps(value)}
    return {"Type": "String.Array", "Value": json.dumps(value if isinstance(value, list) else [value])}


def verdict(backend, topic, number, case):
    scope = case.get("scope", "MessageAttributes")
    subscription = backend.subscribe(topic.arn, f"+4915112{number:06}", "sms")
    try:
        backend.set_subscription_attributes(subscription.arn, "FilterPolicyScope", scope)
        backend.set_subscription_attributes(subscription.arn, "FilterPolicy", json.dumps(case["policy"]))
    except ServiceException:
        return "refused"
    except Exception:
        return "fails"
    message = case.get("message", {"currency": "EUR"})
    try:
        if scope == "MessageBody":
            return subscription._filter_policy_matcher.matches({}, json.dumps(message))
        attributes = {name: attribute(value) for name, value in message.items()}
        return subscription._filter_policy_matcher.matches(attributes, "{}")
    except Exception:
        return "fails"


def main():
    with open(sys.argv[1], encoding="utf-8") as table:
        cases = json.load(table)["cases"]
    backend = sns_backends["123456789012"]["us-east-1"]
    topic = backend.create_topic("orders")
    verdicts = {case["name"]: verdict(backend, topic, number, case) for number, case in enumerate(cases)}
    json.dump(verdicts, sys.stdout)


main()
