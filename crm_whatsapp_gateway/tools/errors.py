# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta's error codes mean for us: what to do next, and what to tell people.

Codes: developers.facebook.com/documentation/business-messaging/whatsapp, page
support/error-codes (copy of 2026-09-11), and the Graph API's own. We decide on the
code; Meta no longer publishes the HTTP status of each, and titles change.
"""

import json

from .terms import _

# What to do next:
# transient   send again soon
# throttled   send again, at the earliest when Meta allows it
# auth        stop this number for everybody: token, billing, account, policy, set-up
# permanent   never send this again as it is
# uncertain   the request left and nobody knows whether it arrived: wait for a status
KINDS = ("transient", "throttled", "auth", "permanent", "uncertain")

# Sentences for salespeople; sources for translation.
# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
ADVICE = {
    "retry": _("WhatsApp could not take the message now. It is sent again by itself."),
    "slow": _("Too many messages in a short time. It is sent again by itself."),
    "uncertain": _(
        "The connection broke while sending. The message may have arrived: "
        "wait for the tick before you write again."
    ),
    "crashed": _(
        "The server stopped while the message was being sent. The message may have "
        "arrived: wait for the tick before you write again."
    ),
    "token": _(
        "The connection to WhatsApp is lost. An administrator must renew the "
        "access token."
    ),
    "permission": _(
        "WhatsApp refused access. An administrator must check the "
        "permissions of the app."
    ),
    "policy": _(
        "Meta restricted or locked the company's account. An administrator must "
        "open the account at Meta."
    ),
    "quality": _(
        "Meta limits what this number may send because of its quality rating. "
        "An administrator must look at the account at Meta."
    ),
    "billing": _(
        "There is a payment problem at Meta. An administrator must check the "
        "payment method of the account."
    ),
    "setup": _(
        "The company's number is not fully set up at Meta. An administrator must "
        "register or verify it."
    ),
    "gone": _(
        "The company's number no longer exists at Meta. An administrator must "
        "connect another one."
    ),
    "bug": _(
        "The message was not sent because of a technical error. Inform an "
        "administrator."
    ),
    "address": _(
        "The number or the content is not valid. Check the customer's number."
    ),
    "own_number": _("This is the company's own number."),
    "unreachable": _(
        "The customer cannot be reached on WhatsApp. Call or write an e-mail."
    ),
    "test_number": _(
        "The company uses a test number, which may only write to people on its list."
    ),
    "blocked": _("The company has blocked this contact. Unblock it first."),
    "window": _(
        "More than 24 hours have passed since the customer's last message. "
        "Send a template."
    ),
    "withheld": _(
        "Meta withheld this marketing message. Try on another day or wait for "
        "the customer to write."
    ),
    "opted_out": _("The customer no longer wants marketing messages."),
    "country": _("The company's account may not write to this country."),
    "file": _("WhatsApp did not accept the file. Check its type and size."),
    "file_changed": _(
        "The file was changed or deleted before it could be sent. Attach it again."
    ),
    "file_inbound": _(
        "The customer's file could not be received. Ask for it again or by e-mail."
    ),
    "open_phone": _("This message can only be read on the phone."),
    "needs_phone": _(
        "This kind of message needs the customer's phone number. Ask for it."
    ),
    "identity": _(
        "The customer changed the device. Confirm who it is before you write."
    ),
    "template_values": _("The values do not fit the template. Check its variables."),
    "template_missing": _("This template is not available in this language."),
    "template_long": _("The text is too long for this template."),
    "template_policy": _("The template breaks a rule of WhatsApp. Choose another one."),
    "template_paused": _("Meta paused this template. Choose another one."),
    "template_limited": _(
        "Meta limits templates of this account for some time because "
        "of a wrong category."
    ),
    "marketing_off": _(
        "Marketing templates are switched off for this account. Inform an "
        "administrator."
    ),
    "flow": _("The form of this message is blocked. Inform an administrator."),
    "unknown": _("The message was not sent. Inform an administrator."),
}


def _rows(kind, advice, *codes):
    return {code: (kind, advice) for code in codes}


# Code -> (kind, key of ADVICE).
ERRORS = {
    **_rows("auth", "token", 0, 190),
    **_rows("auth", "permission", 3, 10, *range(200, 300), 131005),
    **_rows("auth", "gone", 33),
    **_rows("auth", "policy", 368, 131031, 134011),
    **_rows("auth", "quality", 131048),
    **_rows("auth", "billing", 131042, 131044),
    **_rows("auth", "setup", 131037, 131045, 133000, 133005, 133006),
    **_rows("auth", "setup", 133008, 133009, 133010, 133015, 133016),
    **_rows("transient", "retry", 1, 2, 131000, 131016, 131057, 133004),
    **_rows("throttled", "slow", 4, 613, 80007, 80008, 130429, 131056),
    **_rows("throttled", "slow", 132069, 134101),
    **_rows("permanent", "template_limited", 131064),
    **_rows("permanent", "bug", 100, 131008, 131051, 131055, 134100, 135000),
    **_rows("permanent", "address", 131009),
    **_rows("permanent", "own_number", 131021),
    **_rows("permanent", "unreachable", 131026),
    **_rows("permanent", "test_number", 131030),
    **_rows("permanent", "blocked", 130403),
    **_rows("permanent", "window", 131047),
    **_rows("permanent", "withheld", 130472, 131049),
    **_rows("permanent", "opted_out", 131050),
    **_rows("permanent", "country", 130497),
    **_rows("permanent", "file", 131053),
    **_rows("permanent", "file_inbound", 131052),
    **_rows("permanent", "open_phone", 131060),
    **_rows("permanent", "needs_phone", 131062),
    **_rows("permanent", "identity", 137000),
    **_rows("permanent", "marketing_off", 131063, 134102),
    **_rows("permanent", "template_values", 132000, 132008, 132012, 132018),
    **_rows("permanent", "template_missing", 132001),
    **_rows("permanent", "template_long", 132005),
    **_rows("permanent", "template_policy", 132007),
    **_rows("permanent", "template_paused", 132015, 132016),
    **_rows("permanent", "flow", 132068),
}
# Code 100 with this subcode: the number or account does not exist for this token.
UNKNOWN_OBJECT = (100, 33)

# Code -> seconds that Meta asks to wait where it names them in its documentation only.
WAITS = {
    4: 15 * 60,
    80007: 15 * 60,
    80008: 15 * 60,
    131056: 6,
    131057: 60,
    132069: 60 * 60,
    134101: 10 * 60,
}
LONGEST_WAIT = 24 * 60 * 60


class CloudApiError(Exception):
    """Why Meta did not take a message, or why it could not be delivered.

    `kind` is one of KINDS; `code`, `subcode`, `title`, `details` and `fbtrace_id` are
    Meta's; `status` is the HTTP status, None in webhooks; `retry_after` are seconds.

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
        advice_key="unknown",
    ):
        self.kind = kind
        self.code = code
        self.status = status
        self.subcode = subcode
        self.title = title
        self.details = details
        self.fbtrace_id = fbtrace_id
        self.retry_after = retry_after
        self.advice_key = advice_key
        super().__init__(str(self))

    def __str__(self):
        parts = dict.fromkeys(filter(None, [self.title, self.details]))
        number = self.code if self.code is not None else self.status
        prefix = f"[{number}] " if number is not None else ""
        return prefix + (": ".join(parts) or self.kind)

    @property
    def advice(self):
        """What a salesperson can do, in English; a source for translation."""
        return ADVICE.get(self.advice_key, ADVICE["unknown"])


def classify(status, body=None, headers=None):
    """The error of an HTTP answer, whatever its body is.

    >>> classify(400, {"error": {"code": 131047, "message": "Re-engagement"}}).kind
    'permanent'
    >>> classify(401, b'{"error": {"code": 190}}').kind, classify(503, b"busy").kind
    ('auth', 'transient')
    >>> classify(429, None, {"retry-after": "30"}).retry_after, classify(504).kind
    (30, 'uncertain')
    """
    error = _error_of(body)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    kind, advice = _judge(code, subcode, status)
    data = error.get("error_data")
    return CloudApiError(
        kind,
        code,
        status=status,
        subcode=subcode,
        title=_text(error.get("message")),
        details=_text(data.get("details") if isinstance(data, dict) else data)
        or _text(error.get("error_user_msg")),
        fbtrace_id=_text(error.get("fbtrace_id")),
        retry_after=_retry_after(kind, code, headers),
        advice_key=advice,
    )


def from_webhook(errors):
    """The error of a `failed` status; Meta may leave out every part of it.

    >>> error = from_webhook([{"code": 131026, "title": "Message undeliverable"}])
    >>> error.kind, str(error)
    ('permanent', '[131026] Message undeliverable')
    >>> from_webhook(None).kind
    'permanent'
    """
    errors = errors if isinstance(errors, list) else [errors]
    first = next((error for error in errors if isinstance(error, dict)), {})
    message = _text(first.get("title")) or _text(first.get("message"))
    return classify(None, {"error": {**first, "message": message}})


def _judge(code, subcode, status):
    """(kind, advice key): the code decides; without a known one the HTTP status."""
    if (code, subcode) == UNKNOWN_OBJECT:
        return "auth", "gone"
    if code in ERRORS:
        return ERRORS[code]
    if status == 429:
        return "throttled", "slow"
    if status == 401:
        return "auth", "token"
    if status in (502, 504) and code is None:
        return "uncertain", "uncertain"  # a gateway speaks, perhaps after Meta accepted
    if status is not None and (status >= 500 or status == 408):
        return "transient", "retry"
    return "permanent", "unknown"


def _error_of(body):
    """The error object of an answer, or an empty dict."""
    if isinstance(body, (bytes, bytearray, str)):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _retry_after(kind, code, headers):
    """Seconds until the next try as Meta asks, or None."""
    if kind not in ("throttled", "transient"):
        return None
    headers = {str(key).lower(): value for key, value in (headers or {}).items()}
    stated = _number(headers.get("retry-after"))
    usage = _usage_minutes(headers.get("x-business-use-case-usage")) * 60
    seconds = max(stated or 0, usage) or WAITS.get(code)
    return min(seconds, LONGEST_WAIT) if seconds and seconds > 0 else None


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
