# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Takes secrets out of texts that are kept, shown or logged.

Meta repeats in its errors what it was sent, sometimes as part of an address.
"""

import logging
import re
from functools import lru_cache

MASK = "***"
SHORTEST = 4  # characters: what is shorter stands in every second word
# A token of Meta, or app id and app secret as one
TOKENS = re.compile(r"\bEA[A-Za-z0-9_-]{8,}|\b\d{5,}(?:\||%(?:25)*7[Cc])[^\s'\"&<>]+")
# Names of values that open something, in an address, a form or JSON
NAMED = re.compile(
    r"""(?ix)
    (\b(?:access_token|input_token|appsecret_proof|app_secret|client_secret
        |fb_exchange_token|verify_token)
     (?:["']?\s*[=:]\s*["']?|%(?:25)*3D))
    (?!\*\*\*)[^\s&"'<>%,;}]+(?:%(?!(?:25)*26)[0-9a-f]{2}[^\s&"'<>%,;}]*)*
    """
)
BEARER = re.compile(r"(?i)\b(Bearer\s+)(?!\*\*\*)[^\s\"',;]+")
# The last but one part of a webhook's address is its key. Bounded: strangers call it.
WEBHOOK = re.compile(r"(/gateway/\w{1,40}/)[^/\s\"'?#]{1,500}(/update)")
VERIFY_TOKEN = re.compile(r"(hub\.verify_token=)[^&\s\"']+")
WEBHOOK_ENCODED = re.compile(
    r"(?i)(%2Fgateway%2F\w{1,40}?%2F)[^/\s\"'?#]{1,500}?(%2Fupdate)"
)


def without_secrets(text, *secrets):
    """A text as people and logs may have it.

    :param text: str; anything else is returned as it is
    :param secrets: str, known ones, which are found however they are encoded in an
        address; None and what is too short to be a secret is passed over

    >>> without_secrets("Malformed access token EAAxyz12345", None)
    'Malformed access token ***'
    >>> without_secrets("no such app: 4711|0ffee", "0ffee")
    'no such app: 4711|***'
    >>> without_secrets("GET /x?b=a%2Fb%7c1&access_token=abc&c=d", "a/b|1")
    'GET /x?b=***&access_token=***&c=d'
    >>> without_secrets("https://a.com/gateway/whatsapp/key/update is down")
    'https://a.com/gateway/whatsapp/***/update is down'
    """
    if not isinstance(text, str):
        return text
    # the longest first: one may be a part of another
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = _spellings(secret).sub(MASK, text)
    text = TOKENS.sub(MASK, text)
    text = BEARER.sub(rf"\1{MASK}", text)
    text = NAMED.sub(rf"\1{MASK}", text)
    return without_webhook_keys(text)


def without_webhook_keys(text):
    """A text without the keys of webhooks, which stand in their addresses.

    >>> without_webhook_keys("POST /gateway/whatsapp/key/update HTTP/1.1")
    'POST /gateway/whatsapp/***/update HTTP/1.1'
    """
    if not isinstance(text, str):
        return text
    text = VERIFY_TOKEN.sub(rf"\1{MASK}", text)
    text = WEBHOOK.sub(rf"\1{MASK}\2", text)
    return WEBHOOK_ENCODED.sub(rf"\1{MASK}\2", text)


def values_without_secrets(value, *secrets):
    """The same for all texts in a JSON value.

    >>> values_without_secrets({"to": ["key1", 5]}, "key1")
    {'to': ['***', 5]}
    """
    if isinstance(value, dict):
        return {
            key: values_without_secrets(each, *secrets) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [values_without_secrets(each, *secrets) for each in value]
    return without_secrets(value, *secrets)


class WithoutSecrets(logging.Filter):
    """Takes secrets that can be told by their place out of what a logger writes.

    :param clean: function of a text that returns it without them

    >>> record = logging.makeLogRecord({"msg": "%s", "args": ("?input_token=EAA&b=1",)})
    >>> WithoutSecrets().filter(record), record.getMessage()
    (True, '?input_token=***&b=1')
    """

    def __init__(self, clean=without_secrets):
        super().__init__()
        self._clean = clean

    def filter(self, record):
        record.msg = self._clean(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(self._clean(arg) for arg in record.args)
        return True


@lru_cache(maxsize=64)
def _spellings(secret):
    """The pattern of a text, each character of it perhaps percent-encoded.

    >>> bool(_spellings("a|é").fullmatch("%61%257C%C3%A9"))
    True
    """
    return re.compile("".join(_spelling(char) for char in secret))


def _spelling(char):
    encoded = "".join(
        f"%(?:25)*{_hex(byte >> 4)}{_hex(byte & 15)}" for byte in char.encode()
    )
    plain = re.escape(char) + (r"|\+" if char == " " else "")
    # JSON writes some of them with a backslash
    escaped = rf"|\\u{ord(char):04x}|\\{re.escape(char)}" if char in "/\"'" else ""
    return f"(?:{plain}|{encoded}{escaped})"


def _hex(digit):
    return f"[{digit:x}{digit:X}]"
