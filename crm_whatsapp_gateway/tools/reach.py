# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Calls our own webhook from outside, to see who answers."""

import requests

from .setup import KNOCK, Knock

LONGEST_ANSWER = 1000  # bytes: ours is short


def knock(url, question, timeout=8):
    """What answers at an address when it is asked our own question.

    :param str url: of the webhook
    :param str question: signed, so that only this database answers it
    :param float timeout: seconds to connect, and to read
    :return: Knock; never raises for what the network does

    >>> knock("http://127.0.0.1:1/", "x", timeout=1).failure
    'offline'
    """
    params = {
        "hub.mode": KNOCK,
        "hub.challenge": "0",
        "hub.verify_token": question,
    }
    try:
        with requests.get(
            url, params=params, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            text = response.raw.read(LONGEST_ANSWER, decode_content=True)
            return Knock(
                response.status_code,
                text.decode("utf-8", "replace"),
                response.headers.get("Location", ""),
            )
    except requests.exceptions.SSLError as error:
        return Knock(failure="certificate", why=_why(error))
    except requests.Timeout as error:
        return Knock(failure="timeout", why=_why(error))
    except (requests.RequestException, OSError) as error:
        return Knock(failure="offline", why=_why(error))


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
