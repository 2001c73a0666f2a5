# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta's error codes mean for us: what to do next, and what to tell people.

Codes: developers.facebook.com/documentation/business-messaging/whatsapp, page
support/error-codes (copy of 2026-09-11), and the Graph API's own. We decide on the
code; Meta no longer publishes the HTTP status of each, and titles change.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from .masking import without_secrets

# What to do next:
# transient   send again soon
# throttled   send again, at the earliest when Meta allows it
# auth        stop this number for everybody: token, billing, account, policy, set-up
# permanent   never send this again as it is
# uncertain   the request left and nobody knows whether it arrived: wait for a status
KINDS = ("transient", "throttled", "auth", "permanent", "uncertain")


@dataclass(frozen=True)
class Known:
    """One entry of the dictionary, as it is shipped.

    `code` is Meta's, with a subcode behind a slash, or a word of ours; `advice` says
    what a person can do; `wait_seconds` is what Meta's documentation asks to wait.
    """

    code: str
    kind: str
    advice: str
    wait_seconds: int


def _dictionary():
    path = Path(__file__).parents[1] / "data" / "whatsapp.error.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Known(
                row["code"], row["kind"], row["advice"], int(row["wait_seconds"])
            )
            for row in csv.DictReader(file)
        }


# The same entries are records in Odoo, where an administrator may change them.
CATALOGUE = _dictionary()
# First and last code of a family -> the entry that speaks for all of them
FAMILIES = {
    (200, 299): "200",
    (131201, 131215): "131201",
    (138000, 138999): "138000",
    (139000, 139999): "139000",
    (147001, 147005): "147001",
    (200005, 200007): "200005",
    (2388000, 2388999): "2388000",
}
LONGEST_WAIT = 24 * 60 * 60
# Refusals because of how much this number, or its account, sends
OF_THE_NUMBER = ("slow", "4", "80007", "80008", "130429")


class NotYet(Exception):
    """An event cannot be applied now, and that is nobody's fault.

    A status may arrive before our own transaction knows its message.
    """


class CloudApiError(Exception):
    """Why Meta did not take a message, or why it could not be delivered.

    `kind` is one of KINDS; `code`, `subcode`, `title`, `details` and `fbtrace_id` are
    Meta's; `status` is the HTTP status, None in webhooks; `retry_after` are the seconds
    that Meta asks for in its answer; `reason` is an entry of the dictionary. `secrets`
    are texts that Meta may repeat and nobody is to read; they are not kept.

    >>> error = classify(400, {"error": {"code": 131021, "message": "Same number"}})
    >>> str(error), error.advice
    ('[131021] Same number', "This is the company's own number.")
    """

    def __init__(
        self,
        kind,
        code=None,
        *,
        status=None,
        subcode=None,
        title=None,
        details=None,
        fbtrace_id=None,
        retry_after=None,
        reason="unknown",
        secrets=(),
    ):
        self.kind = kind
        self.code = code
        self.status = status
        self.subcode = subcode
        self.title = without_secrets(title, *secrets)
        self.details = without_secrets(details, *secrets)
        self.fbtrace_id = without_secrets(fbtrace_id, *secrets)
        self.retry_after = retry_after
        self.reason = reason
        self.harmless = False  # the call did nothing that may not be done twice
        super().__init__(str(self))

    def __str__(self):
        parts = dict.fromkeys(filter(None, [self.title, self.details]))
        number = self.code if self.code is not None else self.status
        prefix = f"[{number}] " if number is not None else ""
        return prefix + (": ".join(parts) or self.kind)

    @property
    def advice(self):
        """What a person can do, in English; records of Odoo know it in Spanish."""
        return CATALOGUE[self.reason].advice

    @property
    def fault(self):
        """In what Meta failed, whatever the message is; None: it gave a clear answer.

        'connection': no message left; 'server': an error of its own, perhaps after it
        took the message; 'cut': no answer.

        >>> classify(503, {"error": {"code": 131016}}).fault
        'server'
        >>> classify(400, {"error": {"code": 131016}}).fault
        >>> from_webhook([{"code": 131016}]).fault
        """
        if self.kind == "uncertain":
            return "cut" if self.reason == "cut" else None
        if self.kind not in ("transient", "throttled"):
            return None
        if self.status is not None:
            if self.status < 500:
                return None
            return "connection" if self.harmless else "server"
        # without details it is ours: the server stops
        return "connection" if self.code is None and self.details else None

    @property
    def entries(self):
        """Entries of the dictionary that may speak of this error, the best first."""
        return tuple(dict.fromkeys([*_entries(self.code, self.subcode), self.reason]))


def classify(status, body=None, headers=None, secrets=()):
    """The error of an HTTP answer, whatever its body is.

    :param secrets: see `CloudApiError`

    >>> classify(400, {"error": {"code": 131047, "message": "Re-engagement"}}).kind
    'permanent'
    >>> classify(401, b'{"error": {"code": 190}}').kind, classify(503, b"busy").kind
    ('auth', 'transient')
    >>> classify(429, None, {"retry-after": "30"}).retry_after, classify(504).kind
    (30, 'uncertain')
    """
    error = _error_of(body)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    known = _judge(code, subcode, status)
    data = error.get("error_data")
    return CloudApiError(
        known.kind,
        code,
        status=status,
        subcode=subcode,
        title=_text(error.get("message")),
        details=_text(data.get("details") if isinstance(data, dict) else data)
        or _text(error.get("error_user_msg")),
        fbtrace_id=_text(error.get("fbtrace_id")),
        retry_after=_retry_after(known.kind, headers),
        reason=known.code,
        secrets=secrets,
    )


def is_rate_refusal(error):
    """Whether a number sends too fast: not to one person, and not too much in hours.

    >>> is_rate_refusal(classify(400, {"error": {"code": 130429}}))
    True
    >>> is_rate_refusal(classify(400, {"error": {"code": 131056}}))
    False
    >>> is_rate_refusal(classify(429, None, {"retry-after": "3600"}))
    False
    """
    return error.reason == "130429" or (
        error.reason in OF_THE_NUMBER and not error.retry_after
    )


def from_webhook(errors, secrets=()):
    """The error of a `failed` status; Meta may leave out every part of it.

    :param secrets: see `CloudApiError`

    >>> error = from_webhook([{"code": 131026, "title": "Message undeliverable"}])
    >>> error.kind, str(error)
    ('permanent', '[131026] Message undeliverable')
    >>> from_webhook(None).kind
    'permanent'
    """
    errors = errors if isinstance(errors, list) else [errors]
    first = next((error for error in errors if isinstance(error, dict)), {})
    message = _text(first.get("title")) or _text(first.get("message"))
    return classify(None, {"error": {**first, "message": message}}, secrets=secrets)


def _entries(code, subcode):
    """Entries of the dictionary that a code may have, the most exact one first.

    >>> _entries(190, 463), _entries(250, None), _entries(None, None)
    (('190/463', '190'), ('250', '200'), ())
    """
    if code is None:
        return ()
    exact = (f"{code}/{subcode}",) if subcode is not None else ()
    family = (
        entry for (first, last), entry in FAMILIES.items() if first <= code <= last
    )
    return tuple(dict.fromkeys([*exact, str(code), *family]))


def _judge(code, subcode, status):
    """The entry of an error: the code decides; without a known one the HTTP status."""
    for entry in _entries(code, subcode):
        if entry in CATALOGUE:
            return CATALOGUE[entry]
    reason = "unknown"
    if status == 429:
        reason = "slow"
    elif status == 401:
        reason = "token"
    elif status in (502, 504) and code is None:
        reason = "cut"  # a gateway speaks, perhaps after Meta accepted
    elif status is not None and (status >= 500 or status == 408):
        reason = "busy"
    return CATALOGUE[reason]


def _error_of(body):
    """The error object of an answer, or an empty dict."""
    if isinstance(body, (bytes, bytearray, str)):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _retry_after(kind, headers):
    """Seconds until the next try as Meta's answer asks, or None."""
    if kind not in ("throttled", "transient"):
        return None
    headers = {str(key).lower(): value for key, value in (headers or {}).items()}
    stated = _number(headers.get("retry-after"))
    usage = _usage_minutes(headers.get("x-business-use-case-usage")) * 60
    seconds = max(stated or 0, usage)
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _usage_minutes(header):
    """Minutes until the account has access again, after Meta's usage header.

    >>> _usage_minutes('{"1": [{"estimated_time_to_regain_access": 5}]}')
    5
    """
    try:
        usage = json.loads(header or "{}")
        uses = [use for account in usage.values() for use in account]
        return max(int(use["estimated_time_to_regain_access"]) for use in uses)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return 0


def _number(value):
    """A whole number, also from a string, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        return int(value)
    return value if isinstance(value, int) else None


def _text(value):
    return value.strip() or None if isinstance(value, str) else None
