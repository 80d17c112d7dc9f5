"""Translates a SAM template (first argument) into the CloudFormation template (second) that a deployment would send.

What only a deployment knows is filled in: where the program was uploaded. Managed policies, whose list would have to be
asked of AWS, are not known: the template names none.
"""

import json
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self):
        return {}


def translate(source):
    with open(source, encoding="utf-8") as file:
        template = yaml_parse(file)
    uploaded = {"Bucket": "uploaded", "Key": "program"}
    template["Globals"]["Function"]["CodeUri"] = uploaded
    return transform(template, {}, NoManagedPolicies())


try:
    translated = translate(sys.argv[1])
except InvalidDocumentException as error:
    sys.exit("\n".join([error.message, *(cause.message for cause in error.causes)]))
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(translated, file, indent=2)
