# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whether a number is set up rightly: what is tested, and what an answer means.

Values in, a verdict out; the models ask Meta and keep the verdicts. A verdict has no
words, only their key and values, so that everybody reads it in their language.
"""

import ipaddress
import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from .terms import _

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
# The mode of our own question at our webhook
KNOCK = "knock"
# What our webhook answers to everybody but Meta and ourselves: a wrong token, a wrong
# signature and an address that nobody has are not told apart
REFUSED = "refused"
# Names that no public name server knows
PRIVATE_SUFFIXES = (
    ".example",
    ".home",
    ".home.arpa",
    ".internal",
    ".invalid",
    ".lan",
    ".local",
    ".localdomain",
    ".localhost",
    ".test",
)
APP_SECRET = re.compile(r"[0-9a-f]{32}")
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


class Check(NamedTuple):
    """Something that is tested: on which step, and what must work before."""

    step: str
    needs: tuple = ()


class Verdict(NamedTuple):
    """What a test found: a key of OUTCOMES, and values for its words (JSON).

    Names of values that end with `_on` and `_at` are UTC times in ISO format.
    """

    outcome: str
    values: dict = {}

    @property
    def state(self):
        """ok, warning, bad or unknown."""
        return OUTCOMES[self.outcome].state


class Outcome(NamedTuple):
    """What a verdict is called: its state, what was found, what a person can do.

    `mend` is a key of MENDS if Odoo can do it itself.
    """

    state: str
    found: str = ""
    advice: str = ""
    mend: str = ""


class Mend(NamedTuple):
    """Something that Odoo can put right; `asks` says that a person confirms it."""

    label: str
    asks: bool = False


# In the order in which they are tested and shown
CHECKS = {
    "copy": Check("first"),
    "older": Check("first"),
    "token": Check("token"),
    "account": Check("number", ("token",)),
    "number": Check("number", ("token",)),
    "secret": Check("secret", ("token",)),
    "address": Check("webhook"),
    "reachable": Check("webhook", ("address",)),
    "subscribed": Check("webhook", ("token", "account")),
    "webhook": Check("webhook", ("token", "secret", "address")),
    "signature": Check("webhook"),
    "templates": Check("team", ("token", "account")),
    "salespeople": Check("team"),
    "alerts": Check("team"),
    "worker": Check("server"),
    "crons": Check("server"),
}
OPTIONAL = ("copy", "older")  # have a row only where there is something to say
# Field of the gateway -> what has to be tested again when it changes
TOUCHED = {
    "token": (
        "token",
        "account",
        "number",
        "secret",
        "subscribed",
        "webhook",
        "templates",
    ),
    "whatsapp_account_id": ("account", "number", "subscribed", "templates"),
    "whatsapp_from_phone": ("number",),
    "webhook_secret": ("secret", "webhook", "signature"),
    "webhook_key": ("address", "reachable", "webhook"),
    "whatsapp_security_key": ("address", "webhook"),
    "integrated_webhook_state": ("webhook",),
    "webhook_user_id": ("worker",),
    "whatsapp_alert_user_ids": ("alerts",),
    "whatsapp_employee_ids": ("salespeople",),
    "whatsapp_only_working_hours": ("salespeople",),
    "whatsapp_team_id": ("salespeople",),
}

# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
_AS_ABOVE = _("Copy it from Meta, as it is said above.")
_API_SETUP = _("Copy both IDs from the same page at Meta, as it is said above.")
_NEW_TOKEN = _("Make a new token at Meta, as it is said above, and put it here.")
_MANAGER = _("Open the number in WhatsApp Manager and do what Meta asks for there.")
_ASSETS = _(
    "Copy the ID once more, and see that the system user has this WhatsApp account"
    " among its assets, with full control."
)
_PROXY = _("Whoever runs the server finds what is needed in the guide.")
_BASE_URL = _(
    "Set the system parameter web.base.url to the address at which the world reaches"
    " this Odoo, with https."
)
_BY_HAND = _(
    "The app's own address belongs to somebody else, so this is done at Meta: in the"
    " app, WhatsApp, Configuration, Webhook fields."
)
_CHOOSE = _("Choose another webhook user, or leave it to OdooBot.")
OUTCOMES = {
    # of every check
    "untested": Outcome("unknown"),
    "changed": Outcome("unknown", _("Changed since the last test.")),
    "blocked": Outcome("unknown", _("First mend: %(by)s.")),
    "missed": Outcome(
        "unknown",
        _("Could not be tested: Meta did not answer."),
        _("Try again in some minutes."),
    ),
    # its advice is that of the dictionary of errors
    "refused": Outcome("bad", _("Meta refuses: %(meta)s")),
    # -- first
    "copied": Outcome(
        "warning",
        _("This database is a neutralized copy: it sends nothing, on purpose."),
        _(
            "The original goes on working. To try this copy, type the token, the IDs"
            " and the secrets of another number, then connect the copy on purpose."
        ),
        "connect_copy",
    ),
    "copy_connected": Outcome(
        "warning",
        _(
            "This database is a copy, and this number was connected on purpose: what"
            " is written here reaches customers."
        ),
        _("It must be another number than that of the original."),
        "disconnect_copy",
    ),
    "not_in_copy": Outcome(
        "unknown",
        _("Not tested: from a neutralized copy Meta is asked nothing."),
        _("Connect the copy on purpose first, above."),
    ),
    "older_installed": Outcome(
        "warning",
        _(
            "The module crm_import_leads is installed as well. It has WhatsApp code of"
            " its own: both would make a lead of the same message."
        ),
        _(
            "1. Let everything else on this page be fine.\n"
            "2. Leave no callback address in the Meta app but the one of this page.\n"
            "3. Archive the scheduled actions and automation rules of crm_import_leads"
            " that deal with WhatsApp.\n"
            "4. See what else you use it for, such as forms of Facebook.\n"
            "5. When nothing is left, uninstall it under Apps."
        ),
    ),
    # -- token
    "token_ok": Outcome(
        "ok", _("It works, belongs to the app %(app)s and does not expire.")
    ),
    "token_missing": Outcome("bad", _("There is no token."), _AS_ABOVE),
    "token_neutralized": Outcome(
        "bad", _("The token was taken out of this copy of the database."), ""
    ),
    "token_invalid": Outcome("bad", _("The token is not valid."), _NEW_TOKEN),
    "token_expired": Outcome(
        "bad", _("The token expired on %(expires_on)s."), _NEW_TOKEN
    ),
    "token_expires": Outcome(
        "warning",
        _("It works, but only until %(expires_on)s."),
        _("Before that day, make one of a system user that never expires."),
    ),
    "token_personal": Outcome(
        "warning",
        _("It works, but it is a person's (%(type)s) and ends with their password."),
        _("Make one of a system user that never expires, as it is said above."),
    ),
    "token_scopes": Outcome(
        "bad",
        _("The token lacks these permissions: %(missing)s."),
        _("Make a new token at Meta with these permissions ticked, and put it here."),
    ),
    # -- account
    "account_ok": Outcome("ok", _("%(name)s. Its numbers: %(numbers)s.")),
    "account_missing": Outcome("bad", _("There is no account ID."), _AS_ABOVE),
    "account_swapped": Outcome(
        "bad", _("This is the ID of the number, not of the account."), "", "swap_ids"
    ),
    "account_swapped_alone": Outcome(
        "bad", _("This is the ID of a number, not of an account."), _API_SETUP
    ),
    "account_unknown": Outcome(
        "bad", _("This token knows no account with this ID."), _ASSETS
    ),
    "account_not_granted": Outcome(
        "bad",
        _("The token was made for other accounts: %(targets)s."),
        _(
            "Give the system user this WhatsApp account as an asset, then make a new"
            " token and put it here."
        ),
    ),
    # -- number
    "number_ok": Outcome(
        "ok",
        _(
            "%(display)s, %(name)s. Status: %(status)s. Quality: %(quality)s."
            " Messaging limit: %(limit)s."
        ),
    ),
    "number_quality": Outcome(
        "warning",
        _("%(display)s, %(name)s: Meta rates its quality as %(quality)s."),
        _(
            "Many people blocked or reported it. Send fewer marketing templates, to"
            " people who asked for them, before Meta restricts the number."
        ),
    ),
    "number_status": Outcome(
        "bad", _("%(display)s, %(name)s: its status at Meta is %(status)s."), _MANAGER
    ),
    "number_unregistered": Outcome(
        "bad",
        _("%(display)s is not registered with the Cloud API."),
        _("Register it at Meta: in the app, WhatsApp, API Setup."),
    ),
    "number_missing": Outcome("bad", _("There is no phone number ID."), _AS_ABOVE),
    "number_is_phone": Outcome(
        "bad",
        _("This is the phone number %(display)s, not its ID, which is %(right)s."),
        "",
        "use_number",
    ),
    "number_looks_like_phone": Outcome(
        "bad", _("This looks like a phone number, not like its ID."), _API_SETUP
    ),
    "number_swapped": Outcome(
        "bad", _("This is the ID of the account, not of the number."), "", "swap_ids"
    ),
    "number_swapped_alone": Outcome(
        "bad", _("This is the ID of an account, not of a number."), _API_SETUP
    ),
    "number_unknown": Outcome(
        "bad", _("This token knows no number with this ID."), _ASSETS
    ),
    "number_choose": Outcome(
        "bad",
        _("The account has no number with this ID. Its only one is %(display)s."),
        "",
        "use_number",
    ),
    "number_elsewhere": Outcome(
        "bad",
        _("%(display)s does not belong to the account %(account)s."),
        _API_SETUP,
    ),
    # -- secret
    "secret_ok": Outcome("ok", _("It is the secret of the app %(app)s.")),
    "secret_missing": Outcome(
        "bad",
        _("There is no app secret: every delivery of Meta is refused."),
        _AS_ABOVE,
    ),
    "secret_swapped": Outcome(
        "bad",
        _("The app secret stands in the field of the verify token."),
        "",
        "swap_secrets",
    ),
    "secret_wrong": Outcome(
        "bad",
        _("It is not the secret of the app %(app)s, to which the token belongs."),
        _("Copy the app secret of this very app, as it is said above."),
    ),
    # -- address
    "address_ok": Outcome("ok", _("It is public and uses https.")),
    "address_simulated": Outcome(
        "ok", _("Meta is played by a program on this machine, which reaches it.")
    ),
    "address_missing": Outcome(
        "bad", _("There is no address or no verify token yet."), "", "keys"
    ),
    "address_http": Outcome(
        "bad", _("It begins with %(scheme)s, and Meta demands https."), _BASE_URL
    ),
    "address_local": Outcome(
        "bad", _("Meta cannot reach %(host)s from outside."), _BASE_URL
    ),
    "address_port": Outcome(
        "bad", _("It names the port %(port)s, and Meta uses 443 only."), _BASE_URL
    ),
    "address_odd": Outcome("bad", _("%(host)s is no host name."), _BASE_URL),
    "address_loose": Outcome(
        "warning",
        _(
            "It is public and uses https. But it changes as soon as an administrator"
            " logs in by another one."
        ),
        "",
        "freeze",
    ),
    # -- reachable
    "reachable_ok": Outcome("ok", _("Odoo answers there, from this database.")),
    "reachable_slow": Outcome(
        "warning",
        _("From the server itself nobody answered there within %(seconds)s seconds."),
        _(
            "Perhaps the address only works from outside, or this Odoo has one worker"
            " only. Open it in a browser on a phone: it must say: refused."
        ),
    ),
    "reachable_none": Outcome(
        "warning",
        _("From the server itself nobody can be reached there (%(why)s)."),
        _(
            "If the address does not work from outside either, see to the name server,"
            " the firewall and the proxy."
        ),
    ),
    "reachable_certificate": Outcome(
        "bad",
        _("The certificate is not valid (%(why)s), so Meta refuses to deliver."),
        _("Put a valid certificate with all of its intermediate ones on the proxy."),
    ),
    "reachable_redirect": Outcome(
        "bad",
        _("It leads on to %(to)s, and Meta does not follow."),
        _("Set the system parameter web.base.url to the final address."),
    ),
    "reachable_lost": Outcome(
        "bad",
        _("The answer is 404: not found."),
        _(
            "Either the proxy does not hand /gateway/ on to Odoo, or Odoo does not"
            " know which database is meant: see the option dbfilter."
        ),
    ),
    "reachable_databases": Outcome(
        "bad",
        _("The answer is 404, and the server has %(count)s databases."),
        _(
            "Set the option dbfilter (or db_name) so that this host name leads to this"
            " database alone: Meta does not choose one."
        ),
    ),
    "reachable_elsewhere": Outcome(
        "bad",
        _("Odoo answers there, but its database knows nothing of this number."),
        _("See which database this host name leads to: the option dbfilter."),
    ),
    "reachable_copy": Outcome(
        "bad",
        _("A copy of this database answers there, on another server."),
        _(
            "Messages of customers arrive in the copy. See where this host name leads"
            " to, and take the address away from one of the two."
        ),
    ),
    "reachable_other": Outcome(
        "bad", _("Somebody else answers there, not Odoo: %(status)s."), _PROXY
    ),
    # -- subscribed
    "subscribed_ok": Outcome("ok", _("The account delivers to the app %(app)s.")),
    "subscribed_not": Outcome(
        "bad",
        _("The account delivers to other apps (%(apps)s), but not to %(app)s."),
        "",
        "subscribe",
    ),
    "subscribed_nobody": Outcome(
        "bad", _("The account delivers to no app at all."), "", "subscribe"
    ),
    "subscribed_elsewhere": Outcome(
        "bad",
        _("The account delivers to an address of its own: %(address)s"),
        "",
        "deliver",
    ),
    # -- webhook
    "webhook_ok": Outcome("ok", _("Meta delivers to this address.")),
    "webhook_sibling": Outcome(
        "ok", _("Meta delivers by way of %(gateway)s, which has the same app.")
    ),
    "webhook_override": Outcome(
        "ok", _("Meta delivers what concerns this account to this address.")
    ),
    "webhook_none": Outcome(
        "bad", _("The app %(app)s has no webhook yet."), "", "webhook"
    ),
    "webhook_other": Outcome(
        "bad",
        _("The app %(app)s delivers to another address: %(address)s"),
        "",
        "replace",
    ),
    "webhook_off": Outcome("bad", _("The webhook is switched off."), "", "webhook"),
    "webhook_deaf": Outcome(
        "bad", _("Of messages Meta tells nothing: a field is missing."), "", "fields"
    ),
    "webhook_fields": Outcome(
        "warning",
        _("Messages arrive. Meta does not tell of: %(missing)s."),
        "",
        "fields",
    ),
    "webhook_unverified": Outcome(
        "warning",
        _("Meta has this address, but Odoo has not seen it verified."),
        "",
        "webhook",
    ),
    # the account has an address of its own, which is ours; that of the app is not
    "webhook_waits": Outcome(
        "warning",
        _("Meta has this address, but Odoo has not seen it verified."),
        _("Press Integrate Webhook above, then give the address to Meta once more."),
    ),
    "webhook_off_there": Outcome("bad", _("The webhook is switched off."), _BY_HAND),
    "webhook_deaf_there": Outcome(
        "bad", _("Of messages Meta tells nothing: a field is missing."), _BY_HAND
    ),
    "webhook_fields_there": Outcome(
        "warning", _("Messages arrive. Meta does not tell of: %(missing)s."), _BY_HAND
    ),
    "webhook_unreached": Outcome(
        "bad",
        _("Meta could not verify the address: %(meta)s"),
        _("Mend what stands above this point first, then try again."),
        "webhook",
    ),
    # -- signature
    "signature_ok": Outcome(
        "ok", _("The last signed delivery came on %(accepted_at)s.")
    ),
    "signature_after": Outcome(
        "warning",
        _(
            "Signed deliveries came until %(accepted_at)s; on %(refused_at)s one was"
            " refused. %(why)s"
        ),
        _(
            "If Meta's own messages do not arrive any more, the app secret was changed"
            " at Meta: copy the new one. Otherwise somebody else knocks, and is kept"
            " out."
        ),
    ),
    "signature_refused": Outcome(
        "bad",
        _("No delivery was accepted; the last was refused on %(refused_at)s. %(why)s"),
        _("Test the app secret. Meta repeats its deliveries for some days."),
    ),
    "signature_none": Outcome(
        "warning",
        _("No delivery has come yet."),
        _("Write to the number from your own phone, then test again."),
    ),
    "signature_since": Outcome(
        "warning",
        _("No delivery has come since the app secret was typed in."),
        _("Write to the number from your own phone, then test again."),
    ),
    # -- team
    "templates_ok": Outcome(
        "ok", _("%(approved)s of %(count)s are approved. Last read on %(read_at)s.")
    ),
    "templates_some": Outcome("ok", _("%(approved)s of %(count)s are approved.")),
    "templates_none": Outcome(
        "warning",
        _("No template is known here."),
        _(
            "Without one nobody can be written to after 24 hours of silence. Make one"
            " in WhatsApp Manager."
        ),
        "templates",
    ),
    "templates_waiting": Outcome(
        "warning",
        _("None of the %(count)s templates is approved."),
        _("See in WhatsApp Manager why, then read them again."),
        "templates",
    ),
    "people_ok": Outcome("ok", _("On duty now: %(on)s.")),
    "people_later": Outcome(
        "ok", _("It is nobody's hour now. Taking turns: %(names)s.")
    ),
    "people_away": Outcome(
        "warning",
        _("None of those who take turns is on duty: %(names)s."),
        _("New leads wait until somebody is back or has room."),
        "agents",
    ),
    "people_nobody": Outcome(
        "bad",
        _("Nobody receives the leads of this number."),
        _("Make employees of your salespeople, and switch them on."),
        "agents",
    ),
    "alerts_ok": Outcome("ok", _("%(names)s.")),
    "alerts_default": Outcome(
        "warning",
        _("Nobody is chosen, so %(names)s is told."),
        _("Choose who is told when messages cannot be sent."),
    ),
    "alerts_mute": Outcome(
        "warning",
        _("Nobody of them has an e-mail address: %(names)s."),
        _("With one they hear of trouble without looking into Odoo."),
    ),
    # -- server
    "worker_ok": Outcome("ok", _("What arrives is worked on as %(name)s.")),
    "worker_none": Outcome(
        "warning",
        _("Nobody is chosen, so OdooBot works on what arrives."),
        _CHOOSE,
        "worker",
    ),
    "worker_archived": Outcome(
        "warning",
        _("%(name)s is archived, so OdooBot works on what arrives."),
        _CHOOSE,
        "worker",
    ),
    "worker_stranger": Outcome(
        "warning",
        _("%(name)s is no colleague, so OdooBot works on what arrives."),
        _CHOOSE,
        "worker",
    ),
    "worker_elsewhere": Outcome(
        "warning",
        _("%(name)s does not work in %(company)s, so OdooBot works on what arrives."),
        _CHOOSE,
        "worker",
    ),
    "crons_ok": Outcome("ok", _("All %(count)s of them run.")),
    "crons_off": Outcome("bad", _("Switched off: %(names)s."), "", "crons"),
    "crons_late": Outcome(
        "bad",
        _("Overdue for more than %(minutes)s minutes: %(names)s."),
        _(
            "The server does not run scheduled actions. Its option max_cron_threads"
            " must be 1 or more, and this database among those that it serves."
        ),
    ),
}
MENDS = {
    "agents": Mend(_("See the salespeople")),
    "connect_copy": Mend(_("Connect this copy on purpose")),
    "crons": Mend(_("Switch them on")),
    "deliver": Mend(_("Deliver to the app's address"), asks=True),
    "disconnect_copy": Mend(_("Cut it off again")),
    "fields": Mend(_("Ask Meta for what is missing")),
    "freeze": Mend(_("Keep this address")),
    "keys": Mend(_("Make both")),
    "replace": Mend(_("Replace %(host)s"), asks=True),
    "subscribe": Mend(_("Let the account deliver to the app")),
    "swap_ids": Mend(_("Swap the two IDs")),
    "swap_secrets": Mend(_("Put it where it belongs")),
    "templates": Mend(_("Read them from Meta")),
    "use_number": Mend(_("Take the ID %(right)s")),
    "webhook": Mend(_("Set up the webhook at Meta")),
    "worker": Mend(_("Leave it to OdooBot")),
}
# What a delivery that arrives proves
PROVEN = ("subscribed", "webhook", "signature")
# Check -> codes of the errors with which Meta refuses messages for the same cause
CAUSES = {
    "token": ("0", "3", "10", "190", "200", "131005", "settings", "token"),
    "number": ("33", "100/33", "131031", "133010"),
}


def worse(state, than):
    """Whether a state is worse than another; what is unknown is not.

    >>> worse("bad", "warning"), worse("ok", "warning"), worse("unknown", "ok")
    (True, False, False)
    """
    if state not in STATES or than not in STATES:
        return False
    return STATES.index(state) > STATES.index(than)


def cause_of(code):
    """The check that finds what an error of sending tells, or None.

    :param str code: of an entry of the dictionary of errors

    >>> cause_of("190/463"), cause_of("100/33"), cause_of("131042"), cause_of(False)
    ('token', 'number', None, None)
    """
    names = (code or "", (code or "").partition("/")[0])
    return next(
        (kind for kind, codes in CAUSES.items() if any(n in codes for n in names)), None
    )


def with_needs(kinds):
    """These checks and all that they need, in the order of testing.

    >>> with_needs(["reachable"]), with_needs(["secret", "token"])
    (['address', 'reachable'], ['token', 'secret'])
    """
    wanted, waiting = set(), list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind not in wanted:
            wanted.add(kind)
            waiting += CHECKS[kind].needs
    return [kind for kind in CHECKS if kind in wanted]


def blocked(kind, verdicts):
    """The verdict of a check that cannot be made, or None.

    :param dict verdicts: kind -> Verdict, of what was tested before

    >>> blocked("secret", {"token": Verdict("token_invalid")}).values
    {'by': 'token'}
    >>> blocked("secret", {"token": Verdict("token_ok")})
    """
    for need in CHECKS[kind].needs:
        verdict = verdicts[need]
        if verdict.outcome == "missed":
            return Verdict("missed", verdict.values)
        if verdict.outcome == "blocked":
            return verdict
        if verdict.state == "bad":
            return Verdict("blocked", {"by": need})
    return None


def moment(seconds):
    """A Unix time as a verdict holds it.

    >>> moment(1800000000)
    '2027-01-15 08:00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


# -- what an answer means


def judge_token(data, now):
    """What Meta says of a token.

    :param dict data: answer of `debug_token`
    :param int now: Unix time

    >>> good = {"is_valid": True, "type": "SYSTEM_USER", "scopes": list(SCOPES)}
    >>> judge_token(good, 0).outcome
    'token_ok'
    >>> judge_token({**good, "expires_at": 1800000000}, 1700000000)
    Verdict(outcome='token_expires', values={'expires_on': '2027-01-15 08:00:00'})
    >>> judge_token({**good, "scopes": [SCOPES[0]]}, 0).values
    {'missing': ['whatsapp_business_management']}
    """
    ends = [
        _seconds(data.get(name)) for name in ("expires_at", "data_access_expires_at")
    ]
    end = min(filter(None, ends), default=None)
    if end and end <= now:
        return Verdict("token_expired", {"expires_on": moment(end)})
    if not data.get("is_valid"):
        return Verdict("token_invalid")
    granted = _strings(data.get("scopes"))
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        return Verdict("token_scopes", {"missing": missing})
    if end:
        return Verdict("token_expires", {"expires_on": moment(end)})
    if data.get("type") != "SYSTEM_USER":
        return Verdict("token_personal", {"type": str(data.get("type") or "?")})
    return Verdict("token_ok", {"app": app_name(data)})


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


def judge_number(number, account, numbers):
    """What Meta says of a business number.

    :param dict number: answer about the number
    :param str account: account ID of the gateway, or None
    :param list numbers: dicts of the account's numbers; None if they are not known

    >>> one = {"id": "1", "display_phone_number": "+52 55", "quality_rating": "RED"}
    >>> judge_number(one, "7", [one]).outcome, judge_number(one, "7", []).outcome
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
        return Verdict("number_elsewhere", {**values, "account": account})
    if number.get("platform_type") in ("NOT_APPLICABLE", "ON_PREMISE"):
        return Verdict("number_unregistered", values)
    if number.get("status") not in (None, "CONNECTED"):
        return Verdict("number_status", values)
    if number.get("quality_rating") == "RED":
        return Verdict("number_quality", values)
    return Verdict("number_ok", values)


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
    """What a wrong phone number ID is instead, judged by the account's numbers.

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
            return Verdict("number_is_phone", values)
        if len(numbers) == 1:
            return Verdict("number_choose", values)
    if digits != typed:
        return Verdict("number_looks_like_phone")
    return Verdict("number_unknown")


def judge_address(url, frozen=True, simulated=False):
    """Whether Meta can reach an address at all.

    :param str url: of the webhook
    :param bool frozen: whether Odoo keeps its own address
    :param bool simulated: whether Meta is played on this machine

    >>> judge_address("https://odoo.company.com/gateway/whatsapp/k/update").outcome
    'address_ok'
    >>> [judge_address(url).outcome for url in (
    ...     "http://odoo.company.com/", "https://10.0.0.7/", "https://odoo.local/",
    ...     "https://odoo/", "https://odoo.company.com:8069/", "https://a_b.com/")]
    ['address_http', 'address_local', 'address_local', 'address_local', \
'address_port', 'address_odd']
    """
    if simulated:
        return Verdict("address_simulated")
    host = host_of(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return Verdict("address_odd", {"host": url})
    if not is_public(host):
        odd = "." in host and not HOST.fullmatch(host) and not _ip(host)
        local = not odd or host.endswith(PRIVATE_SUFFIXES)
        return Verdict("address_local" if local else "address_odd", {"host": host})
    if parts.scheme != "https":
        return Verdict("address_http", {"scheme": parts.scheme})
    if port not in (None, 443):
        return Verdict("address_port", {"port": port})
    return Verdict("address_ok" if frozen else "address_loose")


def is_public(host):
    """Whether a host may be known outside of a house.

    >>> [is_public(h) for h in ("odoo.company.com", "8.8.8.8", "192.168.1.5", "erp")]
    [True, True, False, False]
    >>> is_public("::1"), is_public("odoo.internal"), is_public("localhost")
    (False, False, False)
    """
    if address := _ip(host):
        return address.is_global
    host = host.lower()
    return bool(HOST.fullmatch(host)) and not host.endswith(PRIVATE_SUFFIXES)


def is_loopback(url):
    """Whether a program on this very machine is meant.

    >>> is_loopback("http://127.0.0.1:8099"), is_loopback("https://graph.facebook.com")
    (True, False)
    """
    host = host_of(url)
    address = _ip(host)
    return host == "localhost" or bool(address and address.is_loopback)


def host_of(url):
    """The host of an address, or "".

    >>> host_of("https://Odoo.company.com:443/x"), host_of("https://[")
    ('odoo.company.com', '')
    """
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Heard(NamedTuple):
    """What a webhook proved that answered our own question.

    `here`: that it is of this very database; `is_open`: that it knows the address.
    """

    here: bool
    is_open: bool


class Knock(NamedTuple):
    """What came back when Odoo called its own webhook.

    `status` is None if nothing did; `failure` is then timeout, certificate or offline,
    and `why` its name.
    """

    status: int | None = None
    text: str = ""
    location: str = ""
    failure: str = ""
    why: str = ""


def judge_knock(knock, heard=None, open_here=True, databases=1, seconds=8):
    """Whether it was our own webhook that answered our question.

    :param Knock knock: what came back
    :param Heard heard: what the answer proved; None if it proved nothing
    :param bool open_here: whether this database's webhook knows the address
    :param int databases: of the server, as far as no filter chooses one

    >>> judge_knock(Knock(200), Heard(here=True, is_open=True)).outcome
    'reachable_ok'
    >>> judge_knock(Knock(200), Heard(here=False, is_open=True)).outcome
    'reachable_copy'
    >>> judge_knock(Knock(404), databases=3)
    Verdict(outcome='reachable_databases', values={'count': 3})
    >>> judge_knock(Knock(failure="timeout")).state, judge_knock(Knock(200)).outcome
    ('warning', 'reachable_other')
    """
    if knock.failure == "timeout":
        return Verdict("reachable_slow", {"seconds": seconds})
    if knock.failure == "certificate":
        return Verdict("reachable_certificate", {"why": knock.why})
    if knock.status is None:
        return Verdict("reachable_none", {"why": knock.why})
    if 300 <= knock.status < 400:
        return Verdict("reachable_redirect", {"to": knock.location})
    if knock.status == 404:
        if databases > 1:
            return Verdict("reachable_databases", {"count": databases})
        return Verdict("reachable_lost")
    if heard and not heard.here:
        return Verdict("reachable_copy")
    if heard and (heard.is_open or not open_here):
        return Verdict("reachable_ok")
    if heard or (knock.status == 403 and knock.text.strip() == REFUSED):
        return Verdict("reachable_elsewhere")
    return Verdict("reachable_other", {"status": f"HTTP {knock.status}"})


def judge_apps(apps, app_id, app, ours):
    """Whether an account delivers to an app, and where to.

    :param list apps: answer of `subscribed_apps`
    :param str app: how the app is called
    :param ours: addresses at which this Odoo takes deliveries of the app

    >>> judge_apps([], "1", "Shop (1)", set()).outcome
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
            return Verdict("subscribed_elsewhere", {"app": app, "address": address})
        return Verdict("subscribed_ok", {"app": app})
    if not known:
        return Verdict("subscribed_nobody", {"app": app})
    names = [f"{name or '?'} ({number})" for number, (name, _url) in known.items()]
    return Verdict("subscribed_not", {"app": app, "apps": names})


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


def judge_webhook(
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

    >>> judge_webhook(None, "Shop (1)", "https://a.com/").outcome
    'webhook_none'
    """
    siblings = siblings or {}
    address = override or (subscription and subscription.callback_url)
    if not subscription or not address:
        return Verdict("webhook_none", {"app": app})
    if address != mine and address not in siblings:
        host = host_of(address)
        return Verdict("webhook_other", {"app": app, "address": address, "host": host})
    is_ours = subscription.callback_url in (mine, *siblings)
    there = "" if is_ours else "_there"
    if not subscription.active:
        return Verdict(f"webhook_off{there}", {"app": app})
    if NEEDED_FIELD not in subscription.fields:
        return Verdict(f"webhook_deaf{there}", {"app": app})
    known = (*subscription.fields, *refused)
    missing = [field for field in FIELDS if field not in known]
    if missing:
        return Verdict(f"webhook_fields{there}", {"missing": missing})
    if not seen:
        return Verdict("webhook_unverified" if is_ours else "webhook_waits")
    if address != mine:
        return Verdict("webhook_sibling", {"gateway": siblings[address]})
    return Verdict("webhook_override" if override else "webhook_ok")


def judge_signature(accepted, refused, changed, why=""):
    """Whether the app secret was proven by deliveries.

    Times are datetimes, or falsy.

    :param accepted: of the last delivery that was accepted
    :param refused: of the last one that was refused
    :param changed: when the secret was changed
    :param str why: why it was refused

    >>> one, two = datetime(2026, 1, 1), datetime(2026, 1, 2)
    >>> judge_signature(two, one, None).outcome, judge_signature(one, two, None).outcome
    ('signature_ok', 'signature_after')
    >>> judge_signature(one, two, two).outcome, judge_signature(one, None, two).outcome
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
        return Verdict("signature_after", values)
    if accepted:
        return Verdict("signature_ok", values)
    if refused:
        return Verdict("signature_refused", values)
    return Verdict("signature_since" if changed else "signature_none")


# -- small things


def _override(entry):
    address = entry.get("override_callback_uri")
    return address if isinstance(address, str) and address else None


def _iso(when):
    return when.strftime("%Y-%m-%d %H:%M:%S") if when else ""


def _ip(host):
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _seconds(value):
    """A Unix time, or None where Meta says 0: never."""
    try:
        return int(value or 0) or None
    except (TypeError, ValueError):
        return None


def _strings(values):
    return [str(value) for value in values] if isinstance(values, list) else []
