"""Twilio's Python package, asked line by line: a JSON question in, a JSON answer out.

Run by the tests in src-tauri/crates/twilio/tests/official.
"""

import inspect
import json
import sys

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse


class Parameters(dict):
    """Every value of every name, the way web frameworks hand them over."""

    def __init__(self, pairs):
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name):
        return self[name]


def covered(question):
    """What is signed beside the address: parameters, or a body by its hash in the address."""
    return question["body"] if "body" in question else Parameters(question["params"])


def sign(question):
    params = {} if "body" in question else covered(question)
    validator = RequestValidator(question["secret"])
    return {"signature": validator.compute_signature(question["url"], params, question["algorithm"])}


def check(question):
    validator = RequestValidator(question["secret"])
    params, signature = covered(question), question["signature"]
    try:
        return {"valid": validator.validate(question["url"], params, signature, question["algorithm"])}
    except TypeError as error:
        # The package takes a body whose hash is not in the address for parameters, and stumbles.
        if "body" not in question:
            raise
        return {"valid": False, "error": str(error)}


def write(question):
    response = VoiceResponse()
    for call in question["calls"]:
        nest(response, call)
    return {"xml": response.to_xml()}


def nest(parent, call):
    method = getattr(parent, call["name"])
    unknown = call["options"].keys() - inspect.signature(method).parameters.keys()
    if unknown:
        raise ValueError(f"{call['name']} has no {', '.join(sorted(unknown))}")
    options = {
        name: " ".join(value) if isinstance(value, list) else value for name, value in call["options"].items()
    }
    text = [] if call["text"] is None else [call["text"]]
    child = method(*text, **options)
    for inner in call["children"]:
        nest(child, inner)


DO = {"sign": sign, "check": check, "write": write}

for line in sys.stdin.buffer:
    question = json.loads(line)
    print(json.dumps(DO[question["do"]](question)))
