# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Ten mobile numbers of each of 22 countries, in every spelling that people use.

The numbers are made from the national numbering plans: the prefixes of mobiles, filled
up to their length. Each spelling of one number must be one person; two numbers never.
"""

import itertools
from dataclasses import dataclass

import pytest
from tools.identity import Identity, from_wa_id, normalize, numbers, region, variants

NUMBERS = 10  # of each country


@dataclass(frozen=True)
class Plan:
    """How mobiles of a country are written.

    `prefixes` begin the national number, which has `length` digits; `trunk` is what
    people put in front of it at home. `wa` makes the id that WhatsApp may give.
    """

    code: str
    prefixes: tuple
    length: int
    trunk: str = ""
    groups: tuple = (3, 3, 4)


PLANS = {
    "AR": Plan("54", ("911", "9351", "9341", "9261", "9221"), 11, "", (1, 2, 4, 4)),
    "BO": Plan("591", ("70", "71", "72", "76", "60"), 8, "", (4, 4)),
    "BR": Plan("55", ("1198", "2197", "3199", "4198", "5196"), 11, "0", (2, 5, 4)),
    "CL": Plan("56", ("92", "95", "96", "97", "98"), 9, "", (1, 4, 4)),
    "CO": Plan("57", ("300", "301", "310", "315", "320"), 10, "", (3, 7)),
    "CR": Plan("506", ("83", "85", "87", "88", "89"), 8, "", (4, 4)),
    "DE": Plan("49", ("151", "152", "160", "171", "175"), 11, "0", (3, 8)),
    "DO": Plan("1", ("8092", "8093", "8292", "8294", "8492"), 10, "1", (3, 3, 4)),
    "EC": Plan("593", ("987", "991", "996", "984", "963"), 9, "0", (2, 3, 4)),
    "ES": Plan("34", ("600", "611", "622", "655", "722"), 9, "", (3, 2, 2, 2)),
    "FR": Plan("33", ("61", "62", "66", "67", "75"), 9, "0", (1, 2, 2, 2, 2)),
    "GB": Plan("44", ("7400", "7500", "7712", "7800", "7911"), 10, "0", (4, 6)),
    "GT": Plan("502", ("30", "40", "50", "55", "58"), 8, "", (4, 4)),
    "HN": Plan("504", ("31", "32", "88", "96", "99"), 8, "", (4, 4)),
    "IT": Plan("39", ("320", "333", "338", "347", "349"), 10, "", (3, 7)),
    "MX": Plan("52", ("552", "553", "333", "813", "222"), 10, "", (2, 4, 4)),
    "NI": Plan("505", ("81", "84", "86", "87", "88"), 8, "", (4, 4)),
    "PA": Plan("507", ("61", "62", "64", "66", "68"), 8, "", (4, 4)),
    "PE": Plan("51", ("91", "94", "95", "97", "98"), 9, "", (3, 3, 3)),
    "PT": Plan("351", ("91", "92", "93", "96", "91"), 9, "", (3, 3, 3)),
    "PY": Plan("595", ("971", "972", "981", "982", "991"), 9, "0", (3, 3, 3)),
    "SV": Plan("503", ("70", "71", "75", "76", "78"), 8, "", (4, 4)),
    "US": Plan("1", ("2122", "3052", "4152", "6172", "7132"), 10, "1", (3, 3, 4)),
    "UY": Plan("598", ("91", "94", "95", "98", "99"), 8, "0", (2, 3, 3)),
    "VE": Plan("58", ("412", "414", "416", "424", "426"), 10, "0", (3, 7)),
}


def _national(country):
    """Ten different national numbers."""
    plan = PLANS[country]
    for n in range(NUMBERS):
        prefix = plan.prefixes[n % len(plan.prefixes)]
        rest = plan.length - len(prefix)
        # digits that belong to no special range: neither all equal nor 555
        yield prefix + str(2_345_678_901 + n * 13_131)[:rest]


ALL = [(country, number) for country in PLANS for number in _national(country)]


def _grouped(number, sizes, mark):
    parts, digits = [], iter(number)
    for size in sizes:
        parts.append("".join(itertools.islice(digits, size)))
    return mark.join(filter(None, [*parts, "".join(digits)]))


def _spellings(country, number):
    """How people write this number, each with the country that they write from."""
    plan = PLANS[country]
    spaced = _grouped(number, plan.groups, " ")
    dashed = _grouped(number, plan.groups, "-")
    abroad = [
        f"+{plan.code}{number}",
        f"+{plan.code} {spaced}",
        f"(+{plan.code}) {dashed}",
        f"00{plan.code}{number}",
        f"00 {plan.code} {spaced}",
        f"Tel.: +{plan.code}-{dashed} (móvil)",
        f"tel:+{plan.code}-{dashed}",
        f"\u202a+{plan.code}\u00a0{spaced}\u202c",
        f"https://wa.me/{plan.code}{number}",
        f"https://api.whatsapp.com/send?phone={plan.code}{number}&text=Hola",
    ]
    at_home = [
        number if country != "AR" else number[1:],  # without the 9 it is a landline
        f"{plan.trunk}{spaced}",
        f"{plan.trunk}{_grouped(number, plan.groups, '.')}",
        f"+{plan.code}{number} / casa",
        f"casa: {plan.trunk}{spaced} whatsapp",
        f"{plan.trunk}{spaced} ext. 12",
        f"{plan.trunk}{spaced} anexo 12",
    ]
    if country == "AR":
        area = 2 if number.startswith("911") else 3
        at_home = [f"0{number[1 : 1 + area]} 15 {number[1 + area :]}", *at_home[1:]]
    if country == "BR":
        at_home += [f"({number[:2]}) {number[2:]}", f"0xx{number[:2]} {number[2:]}"]
        # from before the ninth digit
        at_home += [f"({number[:2]}) {number[3:]}"]
        abroad += [f"+55 {number[:2]} {number[3:]}"]
    if country == "MX":
        abroad += [f"+52 1 {spaced}", f"0052 1 {spaced}"]
        at_home += [f"044 {spaced}", f"045 {spaced}", f"01 {spaced}", f"1 {spaced}"]
    return [(text, None) for text in abroad] + [(text, country) for text in at_home]


def test_the_table_is_as_large_as_it_claims():
    assert len(set(ALL)) == len(ALL) >= 200
    assert len(PLANS) >= 20
    assert sum(len(_spellings(*one)) for one in ALL) > 3000


@pytest.mark.parametrize("country", PLANS)
def test_every_spelling_is_the_same_number(country):
    wrong = []
    for number in _national(country):
        expected = f"+{PLANS[country].code}{number}"
        for text, home in _spellings(country, number):
            if normalize(text, home) != expected:
                wrong.append((text, home, normalize(text, home), expected))
    assert not wrong


@pytest.mark.parametrize("country", PLANS)
def test_the_id_of_whatsapp_is_the_number_too(country):
    for number in _national(country):
        e164 = f"+{PLANS[country].code}{number}"
        for wa_id in _wa_ids(country, number):
            assert from_wa_id(wa_id) == e164, wa_id
            person = Identity.of_token(wa_id)
            assert person.recipient() == {"to": "+" + wa_id}, "answered as it came"
            assert e164 in variants(wa_id)
            assert region(e164) == country
            # a lead that was imported without its plus sign, in any company
            assert numbers(e164.lstrip("+"), country) == (e164,)


def _wa_ids(country, number):
    code = PLANS[country].code
    yield code + number
    if country == "MX":
        yield f"521{number}"
    if country == "BR":
        yield f"55{number[:2]}{number[3:]}"


def test_two_numbers_are_never_one_person():
    owners = {}
    for country, number in ALL:
        for spelling in variants(f"+{PLANS[country].code}{number}"):
            assert owners.setdefault(spelling, (country, number)) == (country, number)


@pytest.mark.parametrize(
    ("text", "home", "expected"),
    [
        ("5512345678", None, None),  # no country: no answer rather than a guess
        ("612345678", None, None),
        ("5215512345678", "ES", "+525512345678"),
        ("34612345678", "MX", "+34612345678"),
        ("5491122334455", "ES", "+5491122334455"),
        ("554188887777", "MX", "+5541988887777"),
        ("99999999999999", "ES", None),
        ("10000000000", "ES", None),
        ("wa.me/message/ABC", "ES", None),
        ("MX.5215512345678", "MX", None),
    ],
)
def test_numbers_without_a_plus_sign(text, home, expected):
    assert normalize(text, home) == expected
