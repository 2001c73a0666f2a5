# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import pytest
from tools.identity import (
    Identity,
    display,
    from_wa_id,
    identity_change,
    is_bsuid,
    is_parent_bsuid,
    normalize,
    region,
    variants,
)

ANY_SPELLING = [
    # Mexico: the mobile 1 and the old dialling prefixes
    ("+52 1 55 1234 5678", None, "+525512345678"),
    ("+52 55 1234 5678", None, "+525512345678"),
    ("5215512345678", "MX", "+525512345678"),
    ("525512345678", "MX", "+525512345678"),
    ("55 1234 5678", "MX", "+525512345678"),
    ("1 55 1234 5678", "MX", "+525512345678"),
    ("044 55 1234 5678", "MX", "+525512345678"),
    ("045 55 1234 5678", "MX", "+525512345678"),
    ("01 55 1234 5678", "MX", "+525512345678"),
    ("0052 1 55 1234 5678", None, "+525512345678"),
    # Brazil: the ninth digit, which landlines do not have
    ("+55 31 8888-8888", None, "+5531988888888"),
    ("+55 31 98888-8888", None, "+5531988888888"),
    ("(31) 8888-8888", "br", "+5531988888888"),
    ("(31) 3333-4444", "BR", "+553133334444"),
    # Argentina: mobile with 9, the national 15
    ("+54 9 11 2233-4455", None, "+5491122334455"),
    ("+54 11 15 2233-4455", None, "+5491122334455"),
    ("011 15 2233-4455", "AR", "+5491122334455"),
    ("+54 11 2233-4455", None, "+541122334455"),
    # Benin: 01 in front since 2024
    ("+229 61 23 45 67", None, "+2290161234567"),
    ("+229 01 61 23 45 67", None, "+2290161234567"),
    ("61234567", "BJ", "+2290161234567"),
    # Ivory Coast: ten digits
    ("+225 07 07 12 34 56", None, "+2250707123456"),
    # Spain, and how people write
    ("612345678", "ES", "+34612345678"),
    ("612-34.56/78", "ES", "+34612345678"),
    ("0034 612 345 678", None, "+34612345678"),
    ("0034 612 345 678", "MX", "+34612345678"),
    ("(+34) 612 345 678", None, "+34612345678"),
    ("612 345 678 (casa)", "ES", "+34612345678"),
    ("Tel. +34 612345678", None, "+34612345678"),
    ("tel:+34-612-345-678", None, "+34612345678"),
    ("+34612345678 ext. 12", None, "+34612345678"),
    ("612345678 / 600111222", "ES", "+34612345678"),
    ("\u202a+34\u00a0612\u00a034\u00a056\u00a078\u202c", None, "+34612345678"),
    ("+٣٤٦١٢٣٤٥٦٧٨", None, "+34612345678"),
    # a range that the library does not know, written in full
    ("+1 555 078 3881", None, "+15550783881"),
]


@pytest.mark.parametrize(("number", "country", "e164"), ANY_SPELLING)
def test_any_spelling_becomes_canonical(number, country, e164):
    assert normalize(number, country) == e164


@pytest.mark.parametrize("e164", sorted({row[2] for row in ANY_SPELLING}))
def test_canonical_stays_as_it_is(e164):
    assert normalize(e164) == e164
    assert from_wa_id(e164) == e164
    assert variants(e164)[0] == e164


NO_PHONE = [
    (None, None),
    (False, None),
    (612345678, "ES"),
    ("", "ES"),
    ("hello", "ES"),
    ("612345678", None),
    ("12", "ES"),
    ("+34 12", None),
    ("+999 123 456 789", None),
    ("+22507123456", None),
    ("AR.5491122334455", "AR"),
    ("mx.5215512345678", "MX"),
    ("MX.ENT.5215512345678", "MX"),
    ("@ana.ruiz", "MX"),
    ("ana@example.com", "MX"),
    ("0" * 50, "ES"),
]


@pytest.mark.parametrize(("number", "country"), NO_PHONE)
def test_what_is_no_phone_number_is_refused(number, country):
    assert normalize(number, country) is None


SAME_PERSON = [
    ("5215512345678", "525512345678"),
    ("553188888888", "5531988888888"),
    ("5491122334455", "541122334455"),
    ("22961234567", "2290161234567"),
]


@pytest.mark.parametrize(("one", "other"), SAME_PERSON)
def test_two_ids_of_one_person_share_their_variants(one, other):
    assert set(variants(one)) == set(variants(other)) == {"+" + one, "+" + other}
    assert variants(one)[0] == from_wa_id(one)


def test_neighbours_are_not_variants():
    numbers = ["+553133334444", "+34612345678", "+15550783881", "+525512345679"]
    sets = [set(variants(number)) for number in numbers]
    assert sum(map(len, sets)) == len(set.union(*sets))
    assert sets[0] == {"+553133334444"}


def test_ids_of_meta_are_kept_even_if_the_library_calls_them_invalid():
    assert from_wa_id("15550783881") == "+15550783881"
    assert from_wa_id("22507123456") == "+22507123456"
    assert from_wa_id(5215512345678) == "+525512345678"


@pytest.mark.parametrize(
    "token", ["", None, "12", "1" * 16, "0612345678", "MX.12345678"]
)
def test_what_cannot_be_a_wa_id_is_no_number(token):
    assert from_wa_id(token) is None
    assert variants(token) == ()


def test_display_and_region():
    assert display("+553133334444") == "+55 31 3333-4444"
    assert display(None) == ""
    assert region("+5531988888888") == "BR"
    assert region("+34612345678") == "ES"
    assert region("+80012345678") is None
    assert region(None) is None


@pytest.mark.parametrize(
    ("token", "user", "parent"),
    [
        ("US.13491208655302741918", True, False),
        ("MX.a1", True, False),
        ("US.ENT.11815799212886844830", False, True),
        ("us.1349", False, False),
        ("US.", False, False),
        ("US." + "1" * 129, False, False),
        ("USA.1349", False, False),
        ("5215512345678", False, False),
        (None, False, False),
    ],
)
def test_user_ids_are_told_apart(token, user, parent):
    assert (is_bsuid(token), is_parent_bsuid(token)) == (user, parent)


MESSAGE = {"from": "5215512345678", "from_user_id": "MX.1", "type": "text"}
CONTACT = {
    "wa_id": "5215512345678",
    "user_id": "MX.1",
    "parent_user_id": "MX.ENT.7",
    "profile": {"name": "Ana", "username": "ana.r"},
}


def test_identity_of_a_message_gathers_all_that_is_known():
    assert Identity.of_message(MESSAGE, [CONTACT]) == Identity(
        phone="5215512345678",
        bsuid="MX.1",
        parent_bsuid="MX.ENT.7",
        username="ana.r",
        name="Ana",
    )


def test_sender_without_phone_is_a_person_too():
    message = {"from_user_id": "MX.1"}
    contact = {"user_id": "MX.1", "profile": {"username": "ana.r"}}
    ana = Identity.of_message(message, [contact])
    assert ana and ana.canonical is None
    assert (ana.token, ana.label, ana.keys) == ("MX.1", "@ana.r", ("bsuid:MX.1",))
    assert ana.recipient() == {"recipient": "MX.1"}


def test_contact_is_found_by_user_id_or_by_any_spelling_of_the_number():
    bruno = {"wa_id": "34612345678", "user_id": "ES.2", "profile": {"name": "Bruno"}}
    for message in (
        {"from_user_id": "MX.1"},
        {"from": "5215512345678"},
        {"from": "525512345678"},
    ):
        assert Identity.of_message(message, [None, bruno, CONTACT]).name == "Ana"


def test_a_stranger_in_contacts_lends_neither_name_nor_number():
    bruno = {"wa_id": "34612345678", "user_id": "ES.2", "profile": {"name": "Bruno"}}
    assert Identity.of_message(MESSAGE, [bruno]).name is None
    assert Identity.of_message({"from_user_id": "MX.1"}, [bruno]).phone is None


def test_lone_contact_serves_a_message_that_names_nobody():
    assert Identity.of_message({"type": "text"}, [CONTACT]).token == "5215512345678"
    nameless = {"profile": {"name": "Ana"}}
    assert Identity.of_message(MESSAGE, [nameless]).name == "Ana"


@pytest.mark.parametrize("contacts", [None, {}, "x", [None], [1], [{"profile": "x"}]])
def test_broken_contacts_do_no_harm(contacts):
    assert Identity.of_message(MESSAGE, contacts).keys == (
        "phone:+525512345678",
        "bsuid:MX.1",
    )


def test_nobody_is_false_and_has_no_address():
    nobody = Identity.of_message({"from": ["x"], "from_user_id": 7}, None)
    assert not nobody and nobody.keys == () and nobody.label == ""
    with pytest.raises(ValueError, match="no address"):
        nobody.recipient()


def test_user_id_in_the_place_of_the_phone_is_understood():
    assert Identity.of_message({"from": "MX.1"}).bsuid == "MX.1"
    assert Identity.of_message({"from": "+5215512345678"}).phone == "5215512345678"


def test_echo_and_status_name_the_customer():
    echo = {"from": "15550783881", "to": "5215512345678", "to_user_id": "MX.1"}
    assert Identity.of_echo(echo, [CONTACT]).label == "Ana"
    status = {"recipient_id": "5215512345678", "recipient_user_id": "MX.1"}
    assert Identity.of_status(status).keys == ("phone:+525512345678", "bsuid:MX.1")
    group = {
        "recipient_type": "group",
        "recipient_id": "Y2FwaV9ncm91cDo",
        "recipient_participant_id": "5215512345678",
    }
    assert Identity.of_status(group).token == "5215512345678"


def test_both_spellings_of_a_number_share_the_lock_key():
    keys = {Identity.of_token(token).keys for token in SAME_PERSON[0]}
    assert keys == {("phone:+525512345678",)}


def test_answers_go_to_the_id_that_meta_gave():
    assert Identity.of_token("5215512345678").recipient() == {"to": "+5215512345678"}
    assert Identity.of_token("US.ENT.1").recipient() == {"recipient": "US.ENT.1"}


def test_label_prefers_what_people_know():
    phone = {"phone": "5215512345678", "bsuid": "MX.1"}
    assert Identity(**phone, username="ana", name="Ana").label == "Ana"
    assert Identity(**phone, username="ana").label == "@ana"
    assert Identity(**phone).label == "+52 55 1234 5678"
    assert Identity(bsuid="MX.1").label == "MX.1"


def test_new_number_links_old_and_new_identity(payload):
    value = payload("system_new_number")["entry"][0]["changes"][0]["value"]
    old, new = identity_change(value["messages"][0])
    assert old.phone == "5215512345678" and new.phone == "5215587654321"
    assert old.bsuid != new.bsuid


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        MESSAGE,
        {"system": "x"},
        {**MESSAGE, "system": {"type": "customer_identity_changed"}},
        {**MESSAGE, "system": {"wa_id": "5215512345678", "user_id": "MX.1"}},
    ],
)
def test_no_change_of_identity(message):
    assert identity_change(message) is None
