# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whether Meta can reach our webhook: its address, and who answers there."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from .setup import CheckResult, host_of

# The mode of our own question at our webhook
PROBE = "probe"
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
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
LONGEST_ANSWER = 1000  # bytes: ours is short


class Proof(NamedTuple):
    """What a webhook proved that answered our own question.

    `here`: that it is of this very database; `is_open`: that it knows the address.
    """

    here: bool
    is_open: bool


class Probe(NamedTuple):
    """What came back when Odoo called its own webhook.

    `status` is None if nothing did; `failure` is then timeout, certificate or offline,
    and `why` its name.
    """

    status: int | None = None
    text: str = ""
    location: str = ""
    failure: str = ""
    why: str = ""


def probe_webhook(url, question, timeout=8):
    """What answers at an address when it is asked our own question.

    :param str url: of the webhook
    :param str question: signed, so that only this database answers it
    :param float timeout: seconds to connect, and to read
    :return: Probe; never raises for what the network does

    >>> probe_webhook("http://127.0.0.1:1/", "x", timeout=1).failure
    'offline'
    """
    params = {
        "hub.mode": PROBE,
        "hub.challenge": "0",
        "hub.verify_token": question,
    }
    try:
        with requests.get(
            url, params=params, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            text = response.raw.read(LONGEST_ANSWER, decode_content=True)
            return Probe(
                response.status_code,
                text.decode("utf-8", "replace"),
                response.headers.get("Location", ""),
            )
    except requests.exceptions.SSLError as error:
        return Probe(failure="certificate", why=_why(error))
    except requests.Timeout as error:
        return Probe(failure="timeout", why=_why(error))
    except (requests.RequestException, OSError) as error:
        return Probe(failure="offline", why=_why(error))


def check_probe(probe, proof=None, open_here=True, databases=1, seconds=8):
    """Whether it was our own webhook that answered our question.

    :param Probe probe: what came back
    :param Proof proof: what the answer proved; None if it proved nothing
    :param bool open_here: whether this database's webhook knows the address
    :param int databases: of the server, as far as no filter chooses one

    >>> check_probe(Probe(200), Proof(here=True, is_open=True)).outcome
    'reachable_ok'
    >>> check_probe(Probe(200), Proof(here=False, is_open=True)).outcome
    'reachable_copy'
    >>> check_probe(Probe(404), databases=3)
    CheckResult(outcome='reachable_databases', values={'count': 3})
    >>> check_probe(Probe(failure="timeout")).outcome, check_probe(Probe(200)).outcome
    ('reachable_slow', 'reachable_other')
    """
    if probe.failure == "timeout":
        return CheckResult("reachable_slow", {"seconds": seconds})
    if probe.failure == "certificate":
        return CheckResult("reachable_certificate", {"why": probe.why})
    if probe.status is None:
        return CheckResult("reachable_none", {"why": probe.why})
    if 300 <= probe.status < 400:
        return CheckResult("reachable_redirect", {"to": probe.location})
    if probe.status == 404:
        if databases > 1:
            return CheckResult("reachable_databases", {"count": databases})
        return CheckResult("reachable_lost")
    if proof and not proof.here:
        return CheckResult("reachable_copy")
    if proof and (proof.is_open or not open_here):
        return CheckResult("reachable_ok")
    if proof or (probe.status == 403 and probe.text.strip() == REFUSED):
        return CheckResult("reachable_elsewhere")
    return CheckResult("reachable_other", {"status": f"HTTP {probe.status}"})


def check_address(url, frozen=True, simulated=False):
    """Whether Meta can reach an address at all.

    :param str url: of the webhook
    :param bool frozen: whether Odoo keeps its own address
    :param bool simulated: whether Meta is played on this machine

    >>> check_address("https://odoo.company.com/gateway/whatsapp/k/update").outcome
    'address_ok'
    >>> [check_address(url).outcome for url in (
    ...     "http://odoo.company.com/", "https://10.0.0.7/", "https://odoo.local/",
    ...     "https://odoo/", "https://odoo.company.com:8069/", "https://a_b.com/")]
    ['address_http', 'address_local', 'address_local', 'address_local', \
'address_port', 'address_odd']
    """
    if simulated:
        return CheckResult("address_simulated")
    host = host_of(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return CheckResult("address_odd", {"host": url})
    if not is_public(host):
        odd = "." in host and not HOST.fullmatch(host) and not _ip(host)
        local = not odd or host.endswith(PRIVATE_SUFFIXES)
        return CheckResult("address_local" if local else "address_odd", {"host": host})
    if parts.scheme != "https":
        return CheckResult("address_http", {"scheme": parts.scheme})
    if port not in (None, 443):
        return CheckResult("address_port", {"port": port})
    return CheckResult("address_ok" if frozen else "address_loose")


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


# -- small things


def _ip(host):
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _why(error):
    """The name of the innermost cause, which says most in the fewest words.

    >>> _why(ValueError(KeyError("x")))
    'KeyError'
    """
    while True:
        inner = getattr(error, "reason", None) or (
            error.args[0] if error.args else None
        )
        if not isinstance(inner, BaseException):
            return type(error).__name__
        error = inner
