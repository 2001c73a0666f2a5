# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the answers of Meta say about the set-up of a number.

Values in, a result out; the models ask Meta and keep the results. A result has no
text, only the code of an outcome and values. State and texts of an outcome are data:
``data/whatsapp.gateway.check.outcome.csv``.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

STATES = ("ok", "warning", "bad")  # from good to worse
SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
OBJECT = "whatsapp_business_account"
# The webhook fields that are made use of; the first one is what nothing works without
NEEDED_FIELD = "messages"
FIELDS = (
    NEEDED_FIELD,
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messaging_handovers",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "standby",  # what customers write while Meta's own agent answers them
    "template_category_update",
    "user_preferences",
)
# Asked for as well: what not every account has, and what only a number has that is
# used on a phone, too
FIELDS_BESIDES = ("business_username_updates", "calls")
# Not known by every version of Meta's API
YOUNG_FIELDS = ("messaging_handovers", "standby")
FIELDS_OF_PHONES = ("smb_message_echoes", "smb_app_state_sync", "history")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
APP_SECRET = re.compile(r"[0-9a-f]{32}")


class CheckResult(NamedTuple):
    """What a check found: the code of an outcome, and values for its texts (JSON).

    Names of values that end with `_on` and `_at` are UTC times in ISO format.
    """

    outcome: str
    values: dict = {}


def fill(text, values):
    """A text with its values; one that is not known is a question mark.

    >>> fill("All %(count)s run. %(why)s, 100 %", {"count": 7})
    'All 7 run. ?, 100 %'
    """
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], "?")), text)


def worse(state, than):
    """Whether a state is worse than another; what is unknown is not.

    >>> worse("bad", "warning"), worse("ok", "warning"), worse("unknown", "ok")
    (True, False, False)
    """
    if state not in STATES or than not in STATES:
        return False
    return STATES.index(state) > STATES.index(than)


def moment(seconds):
    """A Unix time as a result holds it.

    >>> moment(1800000000)
    '2027-01-15 08:00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


# -- what an answer means


def check_token(data, now):
    """What Meta says of a token.

    :param dict data: answer of `debug_token`
    :param int now: Unix time

    >>> good = {"is_valid": True, "type": "SYSTEM_USER", "scopes": list(SCOPES)}
    >>> check_token(good, 0).outcome
    'token_ok'
    >>> check_token({**good, "expires_at": 1800000000}, 1700000000)
    CheckResult(outcome='token_expires', values={'expires_on': '2027-01-15 08:00:00'})
    >>> check_token({**good, "scopes": [SCOPES[0]]}, 0).values
    {'missing': ['whatsapp_business_management']}
    """
    ends = [
        _seconds(data.get(name)) for name in ("expires_at", "data_access_expires_at")
    ]
    end = min(filter(None, ends), default=None)
    if end and end <= now:
        return CheckResult("token_expired", {"expires_on": moment(end)})
    if not data.get("is_valid"):
        return CheckResult("token_invalid")
    granted = _strings(data.get("scopes"))
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        return CheckResult("token_scopes", {"missing": missing})
    if end:
        return CheckResult("token_expires", {"expires_on": moment(end)})
    if data.get("type") != "SYSTEM_USER":
        return CheckResult("token_personal", {"type": str(data.get("type") or "?")})
    return CheckResult("token_ok", {"app": app_name(data)})


def app_name(data):
    """How an app is called, with its id.

    >>> app_name({"app_id": "4711", "application": "Shop"})
    'Shop (4711)'
    """
    return f"{data.get('application') or '?'} ({data.get('app_id') or '?'})"


def granted_accounts(data):
    """Ids of the accounts that a token was made for; empty: of all.

    >>> scope = {"scope": SCOPES[1], "target_ids": ["7"]}
    >>> granted_accounts({"granular_scopes": [scope]}), granted_accounts({})
    (['7'], [])
    """
    for entry in data.get("granular_scopes") or []:
        if isinstance(entry, dict) and entry.get("scope") == SCOPES[1]:
            return _strings(entry.get("target_ids"))
    return []


def check_number(number, account, numbers):
    """What Meta says of a business number.

    :param dict number: answer about the number
    :param str account: account ID of the gateway, or None
    :param list numbers: dicts of the account's numbers; None if they are not known

    >>> one = {"id": "1", "display_phone_number": "+52 55", "quality_rating": "RED"}
    >>> check_number(one, "7", [one]).outcome, check_number(one, "7", []).outcome
    ('number_quality', 'number_elsewhere')
    """
    values = {
        "display": number.get("display_phone_number") or "?",
        "name": number.get("verified_name") or "?",
        "quality": number.get("quality_rating") or "?",
        "status": number.get("status") or "?",
        "limit": number.get("whatsapp_business_manager_messaging_limit") or "?",
        "rate": allowed_rate(number),
    }
    known = None if numbers is None else {str(each.get("id")) for each in numbers}
    if known is not None and str(number.get("id")) not in known:
        return CheckResult("number_elsewhere", {**values, "account": account})
    if number.get("platform_type") in ("NOT_APPLICABLE", "ON_PREMISE"):
        return CheckResult("number_unregistered", values)
    if number.get("status") not in (None, "CONNECTED"):
        return CheckResult("number_status", values)
    if number.get("quality_rating") == "RED":
        return CheckResult("number_quality", values)
    return CheckResult("number_ok", values)


def allowed_rate(number):
    """Messages a second that Meta allows a number, or None if it does not say.

    >>> allowed_rate({"throughput": {"level": "STANDARD"}})
    80
    >>> allowed_rate({"throughput": {"level": "HIGH"}, "is_on_biz_app": True})
    20
    """
    if number.get("is_on_biz_app") is True:
        return 20  # coexistence
    throughput = number.get("throughput")
    level = throughput.get("level") if isinstance(throughput, dict) else None
    return {"STANDARD": 80, "HIGH": 1000}.get(level) if isinstance(level, str) else None


def find_number(typed, numbers):
    """What a wrong phone number ID is instead, by the account's numbers.

    >>> ours = [{"id": "1", "display_phone_number": "+52 55 1"}]
    >>> find_number("52551", ours).outcome, find_number("9", ours).outcome
    ('number_is_phone', 'number_choose')
    >>> find_number("+34 612 34 56 78", []).outcome, find_number("9", []).outcome
    ('number_looks_like_phone', 'number_unknown')
    """
    digits = re.sub(r"\D", "", typed)
    for number in numbers or []:
        shown = str(number.get("display_phone_number") or "")
        values = {"display": shown, "right": str(number.get("id"))}
        if digits and digits == re.sub(r"\D", "", shown):
            return CheckResult("number_is_phone", values)
        if len(numbers) == 1:
            return CheckResult("number_choose", values)
    if digits != typed:
        return CheckResult("number_looks_like_phone")
    return CheckResult("number_unknown")


def host_of(url):
    """The host of an address, or "".

    >>> host_of("https://Odoo.company.com:443/x"), host_of("https://[")
    ('odoo.company.com', '')
    """
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".")
    except ValueError:
        return ""


def check_apps(apps, app_id, app, ours):
    """Whether an account delivers to an app, and where to.

    :param list apps: answer of `subscribed_apps`
    :param str app: how the app is called
    :param ours: addresses at which this Odoo takes deliveries of the app

    >>> check_apps([], "1", "Shop (1)", set()).outcome
    'subscribed_nobody'
    """
    known = {}
    for entry in apps:
        data = entry.get("whatsapp_business_api_data")
        data = data if isinstance(data, dict) else {}
        known[str(data.get("id"))] = (data.get("name"), _override(entry))
    if app_id in known:
        address = known[app_id][1]
        if address and address not in ours:
            return CheckResult("subscribed_elsewhere", {"app": app, "address": address})
        return CheckResult("subscribed_ok", {"app": app})
    if not known:
        return CheckResult("subscribed_nobody", {"app": app})
    names = [f"{name or '?'} ({number})" for number, (name, _url) in known.items()]
    return CheckResult("subscribed_not", {"app": app, "apps": names})


def override_of(apps, app_id):
    """Address to which an account delivers in place of the app's, or None."""
    for entry in apps:
        data = entry.get("whatsapp_business_api_data")
        if isinstance(data, dict) and str(data.get("id")) == app_id:
            return _override(entry)
    return None


def refused_fields(error, wanted, before=()):
    """Which fields a subscription has to leave out, since Meta does not know them.

    Those that its error names, else all that it need not know; none if it refuses for
    another reason.

    :param error: `errors.CloudApiError`
    :param wanted: names of the fields that were asked for
    :param before: those that are subscribed

    >>> from .errors import classify
    >>> error = classify(400, {"error": {"code": 100, "message": "No field standby"}})
    >>> refused_fields(error, ["calls", "messages", "standby"])
    ['standby']
    >>> error = classify(400, {"error": {"code": 100, "message": "Invalid parameter"}})
    >>> refused_fields(error, ["calls", "messages", "security", "standby"])
    ['calls', 'standby']
    >>> refused_fields(classify(400, {"error": {"code": 2200}}), ["standby"])
    []
    """
    if error.code != 100:
        return []
    optional = [name for name in wanted if name not in (NEEDED_FIELD, *before)]
    words = re.findall(r"\w+", str(error))
    named = [name for name in optional if name in words]
    young = (*YOUNG_FIELDS, *FIELDS_BESIDES, *FIELDS_OF_PHONES)
    return named or [name for name in optional if name in young]


def check_webhook(
    subscription, app, mine, siblings=None, override=None, seen=True, refused=()
):
    """Whether Meta delivers to us, and all that we make use of.

    :param subscription: `cloud_api.Subscription` of the app, or None
    :param str app: how the app is called
    :param str mine: address of this gateway
    :param dict siblings: address -> name, of other gateways of the same app
    :param str override: address that the account has of its own, or None
    :param bool seen: whether the address that counts was verified
    :param refused: fields that Meta did not know when it was asked for them

    >>> check_webhook(None, "Shop (1)", "https://a.com/").outcome
    'webhook_none'
    """
    siblings = siblings or {}
    address = override or (subscription and subscription.callback_url)
    if not subscription or not address:
        return CheckResult("webhook_none", {"app": app})
    if address != mine and address not in siblings:
        host = host_of(address)
        return CheckResult(
            "webhook_other", {"app": app, "address": address, "host": host}
        )
    is_ours = subscription.callback_url in (mine, *siblings)
    if not subscription.active:
        return CheckResult("webhook_off" if is_ours else "webhook_off_there")
    if NEEDED_FIELD not in subscription.fields:
        return CheckResult("webhook_deaf" if is_ours else "webhook_deaf_there")
    known = (*subscription.fields, *refused)
    missing = [field for field in FIELDS if field not in known]
    if missing:
        return CheckResult(
            "webhook_fields" if is_ours else "webhook_fields_there",
            {"missing": missing},
        )
    if not seen:
        return CheckResult("webhook_unverified" if is_ours else "webhook_waits")
    if address != mine:
        return CheckResult("webhook_sibling", {"gateway": siblings[address]})
    return CheckResult("webhook_override" if override else "webhook_ok")


def check_signature(accepted, refused, changed, why=""):
    """Whether the app secret was proven by deliveries.

    Times are datetimes, or falsy.

    :param accepted: of the last delivery that was accepted
    :param refused: of the last one that was refused
    :param changed: when the secret was changed
    :param str why: why it was refused

    >>> one, two = datetime(2026, 1, 1), datetime(2026, 1, 2)
    >>> check_signature(two, one, None).outcome, check_signature(one, two, None).outcome
    ('signature_ok', 'signature_after')
    >>> check_signature(one, two, two).outcome, check_signature(one, None, two).outcome
    ('signature_refused', 'signature_since')
    """
    if changed:
        accepted = accepted if accepted and accepted >= changed else None
        refused = refused if refused and refused >= changed else None
    values = {
        "accepted_at": _iso(accepted),
        "refused_at": _iso(refused),
        "why": why or "",
    }
    if accepted and refused and refused > accepted:
        return CheckResult("signature_after", values)
    if accepted:
        return CheckResult("signature_ok", values)
    if refused:
        return CheckResult("signature_refused", values)
    return CheckResult("signature_since" if changed else "signature_none")


# -- small things


def _override(entry):
    address = entry.get("override_callback_uri")
    return address if isinstance(address, str) and address else None


def _iso(when):
    return when.strftime("%Y-%m-%d %H:%M:%S") if when else ""


def _seconds(value):
    """A Unix time, or None where Meta says 0: never."""
    try:
        return int(value or 0) or None
    except (TypeError, ValueError):
        return None


def _strings(values):
    return [str(value) for value in values] if isinstance(values, list) else []
