# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The little the simulator must know about telephone numbers.

Deliberately independent of the addon's own rules, so that both cannot be wrong in
the same way.
"""

import functools
import re

# Calling code -> ISO 3166 alpha-2, the latter begins a business-scoped user id.
COUNTRIES = {
    "1": "US", "20": "EG", "27": "ZA", "30": "GR", "31": "NL", "32": "BE",
    "33": "FR", "34": "ES", "39": "IT", "40": "RO", "41": "CH", "43": "AT",
    "44": "GB", "45": "DK", "46": "SE", "47": "NO", "48": "PL", "49": "DE",
    "51": "PE", "52": "MX", "53": "CU", "54": "AR", "55": "BR", "56": "CL",
    "57": "CO", "58": "VE", "60": "MY", "61": "AU", "62": "ID", "63": "PH",
    "65": "SG", "66": "TH", "81": "JP", "82": "KR", "90": "TR", "91": "IN",
    "92": "PK", "212": "MA", "213": "DZ", "216": "TN", "221": "SN", "225": "CI",
    "229": "BJ", "233": "GH", "234": "NG", "237": "CM", "254": "KE", "351": "PT",
    "352": "LU", "353": "IE", "376": "AD", "502": "GT", "503": "SV", "504": "HN",
    "505": "NI", "506": "CR", "507": "PA", "591": "BO", "593": "EC", "595": "PY",
    "598": "UY", "971": "AE", "972": "IL",
}  # fmt: skip


def digits(number: object) -> str:
    """
    >>> digits("+34 (600) 11-22")
    '346001122'
    """
    return re.sub(r"\D", "", str(number or ""))


def looks_like(text: object) -> bool:
    """Whether this may be a phone number, in any of the usual spellings.

    >>> looks_like("+34 (600) 111-222"), looks_like("MX.123"), looks_like("Ana")
    (True, False, False)
    """
    return bool(re.fullmatch(r"\+?[\d\s().\-]{3,30}", str(text))) and bool(digits(text))


def calling_code(number: str) -> str:
    """The calling code with which the digits begin; '1' if none is known.

    >>> calling_code("5215512345678"), calling_code("34600111222")
    ('52', '34')
    """
    for length in (3, 2, 1):
        if number[:length] in COUNTRIES:
            return number[:length]
    return "1"


def country(number: str) -> str:
    """
    >>> country("5215512345678")
    'MX'
    """
    return COUNTRIES[calling_code(number)]


def dialled(to: object, business_code: str) -> str | None:
    """The digits that Meta would dial for `to`, or None if that is no number.

    Without a leading plus Meta puts the business number's own calling code in front.

    >>> dialled("+34 600 111 222", "52"), dialled("34600111222", "52")
    ('34600111222', '5234600111222')
    >>> dialled("Ana", "52")
    """
    text = str(to or "").strip()
    if not looks_like(text):
        return None
    number = digits(text)
    return number if text.startswith("+") else business_code + number


@functools.lru_cache(maxsize=100_000)
def spellings(number: str) -> frozenset[str]:
    """The digits and the other spelling under which WhatsApp knows the same person.

    >>> sorted(spellings("525512345678"))
    ['5215512345678', '525512345678']
    >>> sorted(spellings("554188887777"))
    ['554188887777', '5541988887777']
    """
    found = {number}
    rules = (
        (r"521(\d{10})", r"52\1"),
        (r"52([2-9]\d{9})", r"521\1"),
        (r"55(\d\d)9([6-9]\d{7})", r"55\1\2"),
        (r"55(\d\d)([6-9]\d{7})", r"55\g<1>9\2"),
    )
    for pattern, replacement in rules:
        if re.fullmatch(pattern, number):
            found.add(re.sub(pattern, replacement, number))
    return frozenset(found)
