# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is checked of a number's set-up: in which order, and what depends on what."""

from typing import NamedTuple

from .setup import CheckResult


class Check(NamedTuple):
    """Something that is checked.

    :param str step: of the page, on which it is shown
    :param needs: checks without which it cannot be made
    :param fields: of the gateway; a change makes the result out of date
    :param errors: codes of the errors with which Meta refuses messages for the same
        cause
    :param recheck: what is checked after something was fixed, if not it alone
    :param bool optional: whether it has a row only where there is something to say
    :param bool by_delivery: whether a delivery that arrives proves it
    """

    step: str
    needs: tuple = ()
    fields: tuple = ()
    errors: tuple = ()
    recheck: tuple = ()
    optional: bool = False
    by_delivery: bool = False


# In the order in which they are made and shown. Another addon adds its own:
# ``whatsapp.gateway.check._checks``
CHECKS = {
    "copy": Check("first", optional=True),
    "token": Check(
        "token",
        fields=("token",),
        errors=("0", "3", "10", "190", "200", "131005", "settings", "token"),
    ),
    "account": Check(
        "number",
        needs=("token",),
        fields=("token", "whatsapp_account_id"),
        recheck=("account", "number"),
    ),
    "number": Check(
        "number",
        needs=("token",),
        fields=("token", "whatsapp_account_id", "whatsapp_from_phone"),
        errors=("33", "100/33", "131031", "133010"),
        recheck=("account", "number"),
    ),
    "secret": Check(
        "secret",
        needs=("token",),
        fields=("token", "webhook_secret"),
        recheck=("secret", "webhook"),
    ),
    "address": Check(
        "webhook",
        fields=("webhook_key", "whatsapp_security_key"),
        recheck=("address", "reachable"),
    ),
    "reachable": Check("webhook", needs=("address",), fields=("webhook_key",)),
    "subscribed": Check(
        "webhook",
        needs=("token", "account"),
        fields=("token", "whatsapp_account_id"),
        recheck=("subscribed", "webhook"),
        by_delivery=True,
    ),
    "webhook": Check(
        "webhook",
        needs=("token", "secret", "address"),
        fields=(
            "token",
            "webhook_secret",
            "webhook_key",
            "whatsapp_security_key",
            "integrated_webhook_state",
        ),
        by_delivery=True,
    ),
    "signature": Check("webhook", fields=("webhook_secret",), by_delivery=True),
    "templates": Check(
        "team", needs=("token", "account"), fields=("token", "whatsapp_account_id")
    ),
    "alerts": Check("team", fields=("whatsapp_alert_user_ids",)),
    "worker": Check("server", fields=("webhook_user_id",)),
    "crons": Check("server"),
}


def insert_after(checks, kind, more):
    """Checks with others that stand behind one of them.

    >>> list(insert_after({"copy": 1, "token": 2}, "copy", {"older": 3}))
    ['copy', 'older', 'token']
    """
    names = list(checks)
    place = names.index(kind) + 1
    before, after = names[:place], names[place:]
    return {
        **{name: checks[name] for name in before},
        **more,
        **{name: checks[name] for name in after},
    }


def kinds_by_field(checks):
    """The checks that are out of date when a field of the gateway changes.

    >>> sorted(kinds_by_field(CHECKS)["webhook_secret"])
    ['secret', 'signature', 'webhook']
    """
    found = {}
    for kind, check in checks.items():
        for name in check.fields:
            found.setdefault(name, set()).add(kind)
    return found


def cause_of(code, checks):
    """The check that finds what an error of sending tells, or None.

    :param str code: of an entry of the error catalogue

    >>> cause_of("190/463", CHECKS), cause_of("100/33", CHECKS)
    ('token', 'number')
    >>> cause_of("131042", CHECKS), cause_of(False, CHECKS)
    (None, None)
    """
    names = {code or "", (code or "").partition("/")[0]}
    return next(
        (kind for kind, check in checks.items() if names & {*check.errors}), None
    )


def with_needs(kinds, checks):
    """These checks and all that they need, in the order of checking.

    >>> with_needs(["reachable"], CHECKS), with_needs(["secret", "token"], CHECKS)
    (['address', 'reachable'], ['token', 'secret'])
    """
    wanted, waiting = set(), list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind not in wanted:
            wanted.add(kind)
            waiting += checks[kind].needs
    return [kind for kind in checks if kind in wanted]


def blocked(needs, results, bad):
    """The result of a check that cannot be made, or None.

    :param needs: the checks that it needs
    :param dict results: kind -> CheckResult, of what was checked before
    :param bad: codes of the outcomes with which nothing else works

    >>> blocked(("token",), {"token": CheckResult("token_no")}, {"token_no"}).values
    {'by': 'token'}
    >>> blocked(("token",), {"token": CheckResult("token_ok")}, {"token_no"})
    """
    for need in needs:
        result = results[need]
        if result.outcome == "missed":
            return CheckResult("missed", result.values)
        if result.outcome == "blocked":
            return CheckResult("blocked", result.values)
        if result.outcome in bad:
            return CheckResult("blocked", {"by": need})
    return None
