# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's error codes: HTTP status, title and the usual details.

Source: Meta's page "Error codes" (copy of 2026-09-11); the HTTP statuses are those of
an older copy of that page, since Meta no longer publishes them.
"""

from typing import NamedTuple

DOCS = (
    "https://developers.facebook.com/documentation/business-messaging/whatsapp/"
    "support/error-codes"
)


class Known(NamedTuple):
    http: int
    title: str
    details: str = ""


CODES = {
    0: Known(401, "AuthException", "We were unable to authenticate the app user."),
    1: Known(400, "API Unknown", "Invalid request or possible server error."),
    2: Known(503, "API Service", "Temporary due to downtime or being overloaded."),
    3: Known(500, "API Method", "Capability or permissions issue."),
    4: Known(400, "API Too Many Calls", "The app has reached its API call rate limit."),
    10: Known(403, "Permission Denied", "Permission is not granted or was removed."),
    15: Known(400, "This method must be called with an app access_token."),
    33: Known(400, "Parameter value is not valid", "The number has been deleted."),
    100: Known(400, "Invalid parameter", "Unsupported or misspelled parameters."),
    190: Known(401, "Invalid OAuth access token", "Your access token has expired."),
    200: Known(403, "API Permission", "Permission is not granted or was removed."),
    368: Known(403, "Temporarily blocked for policies violations"),
    80007: Known(400, "Rate limit issues", "The account has reached its rate limit."),
    130403: Known(400, "User is blocked", "The business has blocked this user."),
    130429: Known(429, "Rate limit hit", "Cloud API message throughput was reached."),
    130472: Known(400, "User's number is part of an experiment"),
    130497: Known(403, "Business account is restricted from messaging users here"),
    131000: Known(500, "Something went wrong", "Message failed to send."),
    131005: Known(403, "Access denied", "Permission is not granted or was removed."),
    131008: Known(400, "Required parameter is missing"),
    131009: Known(400, "Parameter value is not valid"),
    131016: Known(503, "Service unavailable", "A service is unavailable."),
    131021: Known(
        400,
        "Recipient cannot be sender",
        "Sender and recipient phone number is the same.",
    ),
    131026: Known(400, "Message undeliverable", "Unable to deliver message."),
    131030: Known(
        400,
        "Recipient phone number not in allowed list",
        "Add recipient phone number to recipient list and try again.",
    ),
    131031: Known(403, "Business Account locked", "The account has been locked."),
    131037: Known(400, "WhatsApp provided number needs display name approval"),
    131042: Known(400, "Business eligibility payment issue", "Payment method missing."),
    131045: Known(500, "Incorrect certificate", "Number registration error."),
    131047: Known(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the"
        " customer last replied to this number.",
    ),
    131048: Known(400, "Spam rate limit hit", "There are restrictions on this number."),
    131049: Known(
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
    ),
    131050: Known(
        400,
        "User has stopped marketing messages",
        "The recipient chose to stop receiving marketing messages.",
    ),
    131051: Known(400, "Unsupported message type", "Message type is not supported."),
    131052: Known(400, "Media download error", "The sent media could not be fetched."),
    131053: Known(400, "Media upload error", "The media could not be uploaded."),
    131056: Known(
        429,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages sent from this number to the same number in a short time.",
    ),
    131057: Known(500, "Account in maintenance mode"),
    131060: Known(400, "This message is currently unavailable."),
    131062: Known(400, "Business-scoped user ID not supported for this message"),
    131063: Known(400, "Marketing templates are disabled on Cloud API"),
    131064: Known(400, "Template misclassification limit reached"),
    132000: Known(400, "Number of parameters does not match the expected number"),
    132001: Known(404, "Template name does not exist in the translation"),
    132005: Known(400, "Translated text too long"),
    132007: Known(400, "Template format character policy violated"),
    132008: Known(400, "Parameter format does not match"),
    132012: Known(400, "Parameter format does not match format in the template"),
    132015: Known(400, "Template is paused", "Template is paused due to low quality."),
    132016: Known(400, "Template is disabled", "Template was paused too many times."),
    132018: Known(400, "Template parameter validation failed"),
    132068: Known(400, "Flow is blocked"),
    132069: Known(400, "Flow is throttled"),
    133000: Known(500, "Incomplete Deregistration"),
    133004: Known(503, "Server Temporarily Unavailable", "Try again later."),
    133005: Known(400, "Two step verification PIN mismatch"),
    133006: Known(400, "Phone number re-verification needed"),
    133010: Known(400, "Phone number not registered", "Register the number first."),
    133015: Known(400, "Please wait a few minutes before registering"),
    133016: Known(400, "Registration/deregistration limit reached"),
    134100: Known(400, "Only marketing messages supported"),
    134101: Known(400, "Template is syncing"),
    134102: Known(500, "Template unavailable for use"),
    135000: Known(400, "Generic user error", "Unknown error with the parameters."),
    137000: Known(400, "Identity key hash mismatch"),
    2388024: Known(400, "Content in this language already exists"),
}
UNKNOWN = Known(400, "Unknown error")


class Refusal(Exception):
    """Meta says no.

    `code` decides; `details`, `http`, `subcode`, `type` and `headers` refine the
    answer. `bare` leaves `error_data` out, as some of Meta's answers do.
    """

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        http: int | None = None,
        message: str | None = None,
        subcode: int | None = None,
        type: str = "OAuthException",
        headers: dict | None = None,
        bare: bool = False,
    ):
        known = CODES.get(code, UNKNOWN)
        self.code = code
        self.title = known.title
        self.details = known.details if details is None else details
        self.http = http or known.http
        self.message = message or f"(#{code}) {known.title}"
        self.subcode = subcode
        self.type = type
        self.headers = headers or {}
        self.bare = bare
        super().__init__(f"{self.message}: {self.details}")

    def answer(self, trace: str) -> dict:
        """The body of a refused call."""
        error = {"message": self.message, "type": self.type, "code": self.code}
        if self.details and not self.bare:
            error["error_data"] = {
                "messaging_product": "whatsapp",
                "details": self.details,
            }
        if self.subcode:
            error["error_subcode"] = self.subcode
        return {"error": error | {"fbtrace_id": trace}}

    def in_webhook(self) -> dict:
        """The same failure as an entry of `errors` in a webhook."""
        error = {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details or self.title},
            "href": DOCS,
        }
        if self.bare:
            del error["error_data"]
        return error


def unknown_object(object_id: str, method: str = "get") -> Refusal:
    """What Graph answers for an id that is not there or not ours to see."""
    return Refusal(
        100,
        http=400,
        message=(
            f"Unsupported {method} request. Object with ID '{object_id}' does not"
            " exist, cannot be loaded due to missing permissions, or does not"
            " support this operation"
        ),
        details="",
        subcode=33,
        type="GraphMethodException",
    )


def bad_token(subcode: int | None = None) -> Refusal:
    return Refusal(
        190,
        message="Invalid OAuth access token - Cannot parse access token",
        details="",
        subcode=subcode,
    )


def bad_secret() -> Refusal:
    """An app access token whose secret is not that of the app."""
    return Refusal(1, http=400, message="Error validating application.", details="")


def no_token() -> Refusal:
    return Refusal(
        200,
        message="(#200) Provide valid app ID",
        details="",
    )
