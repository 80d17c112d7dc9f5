"""What the document means beyond what a schema can say, for what is drawn from it.

`format` names what has no pattern worth reading: here are strategies for each, which draw only what is one. What depends on
several values at once is left out of what should be taken.
"""

import string
import zoneinfo

import requests
import schemathesis
from hypothesis import strategies as st

# Atoms (RFC 5322, 3.2.3; RFC 6531, 3.3) and quoted texts, before domains that DNS could have.
ATOM = string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~äøяαع漢"
QUOTABLE = string.ascii_letters + string.digits + " ().,:;<>@[]"
LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
DOMAIN = st.builds(
    "{}.{}".format,
    st.lists(LABEL | st.sampled_from(["bücher", "xn--bcher-kva", "例え"]), min_size=1, max_size=3).map(".".join),
    st.sampled_from(["com", "example", "museum", "рф"]),
)
LOCAL_PART = st.one_of(
    st.lists(st.text(ATOM, min_size=1, max_size=10), min_size=1, max_size=2).map(".".join),
    st.text(QUOTABLE, min_size=1, max_size=16).map('"{}"'.format),
)
schemathesis.openapi.format("idn-email", st.builds("{}@{}".format, LOCAL_PART, DOMAIN))

schemathesis.openapi.format(
    "uri",
    st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(["http", "https"]),
        st.lists(LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"])),
        st.just("") | st.integers(1, 65_535).map(":{}".format),
        st.lists(st.text(string.ascii_letters + string.digits + "-._~", max_size=8), max_size=3).map(
            lambda parts: "".join(f"/{part}" for part in parts)
        ),
        st.sampled_from(["", "?a=1&b=%20", "#top"]),
    ),
)

schemathesis.openapi.format(
    "ip-network",
    st.builds("{}/{}".format, st.ip_addresses(v=4), st.integers(0, 32))
    | st.builds("{}/{}".format, st.ip_addresses(v=6), st.integers(0, 128)),
)


# Those that every machine knows.
ZONES = sorted(zone for zone in zoneinfo.available_timezones() if zone.startswith(("America/", "Asia/", "Europe/")))
schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", *ZONES]))


schemathesis.openapi.format("name-of-a-person", st.text(string.ascii_letters + "äß漢", min_size=1, max_size=60))

# Words, values and sections, of which a template may be made in every part, and something that is always said.
schemathesis.openapi.format(
    "template",
    st.lists(
        st.sampled_from(["{{orderId}}", "{{ note }}", "{{#items}}{{quantity}}{{/items}}", "{{^total}}-{{/total}}", "{{! x }}"])
        | st.text(string.ascii_letters + " .,:!?äß漢📦", max_size=20),
        max_size=8,
    ).map(lambda parts: "Order " + "".join(parts)),
)


@schemathesis.hook
def filter_case(context, case):
    """Whether a case that should be taken keeps the rules between its values."""
    if not (case.meta and case.meta.generation.mode.is_positive and isinstance(case.body, dict)):
        return True
    if case.body.get("protocol") == "sms" and may_have_trunk_prefix(case.body.get("endpoint", "")):
        return False
    # Only a mail has more than a text.
    if "templates" in case.path and case.path_parameters["name"] != "email" and {"subject", "html"} & case.body.keys():
        return False
    fields = case.body.get("fields") or []
    # They go with a policy that asks something of items, and not with all items.
    if "matchingItems" in fields:
        return False
    policy = case.body.get("filterPolicy")
    return policy is None or (combinations(policy) <= 150 and all(ascends(terms) for terms in ranges(policy)))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out of a list of orders what does not go with what it asks for: an order is found by its name in all time, and
    there and within a time a cursor is one that the page before gave."""
    query = case.query
    if case.operation.label != "GET /orders" or not query or not (case.meta and case.meta.generation.mode.is_positive):
        return
    if "find" in query:
        leaves = ("from", "before", "cursor")
    elif "from" in query or "before" in query:
        leaves = ("cursor",)
    else:
        return
    for name in leaves:
        query.pop(name, None)


def may_have_trunk_prefix(number):
    """A country code has one to three digits; only few countries have numbers that begin with 0 behind it. Others dial
    something else before a number."""
    digits = "".join(digit for digit in number if digit.isdigit())
    return "0" in digits[1:4] or digits.startswith(("11", "78", "3708", "37580", "9938"))


def combinations(policy, depth=1):
    """How many combinations of values a policy asks for, as SNS counts them."""
    product = 1
    for name, value in policy.items():
        if isinstance(value, dict):
            product *= combinations(value, depth + 1)
        elif name == "$or" and are_alternatives(value):
            product *= sum(combinations(alternative, depth) for alternative in value)
        else:
            product *= len(value) * depth
    return product


OPERATORS = {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}


def are_alternatives(values):
    return len(values) > 1 and all(isinstance(value, dict) and not OPERATORS & value.keys() for value in values)


def ranges(policy):
    """All ranges of numbers in a policy, wherever they are."""
    if isinstance(policy, list) and len(policy) == 4 and policy[0] in (">", ">=") and policy[2] in ("<", "<="):
        yield policy
    for part in policy.values() if isinstance(policy, dict) else policy if isinstance(policy, list) else ():
        yield from ranges(part)


def ascends(terms):
    return not all(isinstance(number, int | float) for number in terms[1::2]) or terms[1] < terms[3]


# The operations whose key was asked for: once for each is enough.
ASKED = set()


@schemathesis.check
def keys_are_asked_for(context, response, case):
    """Who is let in with the right key is refused without one, and with a wrong one, which may also be told to wait."""
    operation = case.operation
    security = operation.definition.raw.get("security", [])
    is_valid = case.meta and case.meta.generation.mode.is_positive and case.method == operation.method
    needs_key = security and {} not in security
    if not needs_key or not is_valid or response.status_code in (401, 429) or operation.label in ASKED:
        return
    ASKED.add(operation.label)
    for key in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
        request = response.request.copy()
        for header in ("x-api-key", "authorization"):
            request.headers.pop(header, None)
        request.headers.update(key)
        status = requests.Session().send(request, timeout=30).status_code
        refusals = (401, 429) if key else (401,)
        assert status in refusals, f"{operation.label} answers {status} with {key or 'no key'}"
