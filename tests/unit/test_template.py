# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What leaves with a template is what Meta documents, for every kind of its parts."""

import pytest
from tools.identity import Identity
from tools.payloads import (
    MB,
    NotSendable,
    check_header,
    header_place,
    media_kind,
    template_payload,
    with_media,
)
from tools.template import (
    BUTTONS,
    File,
    Place,
    Variable,
    button_payload,
    components,
    tapped_button,
    unsupported,
)

ANA = Identity(phone="5215512345678")
NAME, CITY = Variable("body", "1"), Variable("body", "2")


def sent(**values):
    """The whole message, once its file is uploaded."""
    parts = components(**{"values": {}, **values})
    payload = template_payload(ANA, "offer", "es_MX", parts)
    return with_media(payload, "9") if media_kind(payload) else payload


def test_a_whole_message_as_meta_documents_it():
    values = {NAME: "Ana", CITY: "León", Variable("button", "1", 1): "S42"}
    kinds = ["quick_reply", "url", "phone_number"]
    header = File("document", "Offer.pdf")
    assert sent(values=values, header=header, buttons=kinds, name="offer") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5215512345678",
        "type": "template",
        "template": {
            "name": "offer",
            "language": {"code": "es_MX"},
            "components": [
                {
                    "type": "header",
                    "parameters": [
                        {
                            "type": "document",
                            "document": {"id": "9", "filename": "Offer.pdf"},
                        }
                    ],
                },
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": "Ana"},
                        {"type": "text", "text": "León"},
                    ],
                },
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "offer/0"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "1",
                    "parameters": [{"type": "text", "text": "S42"}],
                },
            ],
        },
    }


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_picture_and_a_video_have_an_id_only(kind):
    [header] = sent(header=File(kind, "a file"))["template"]["components"]
    parameter = {"type": kind, kind: {"id": "9"}}
    assert header == {"type": "header", "parameters": [parameter]}


def test_a_place_is_written_in_full():
    place = Place(-0.0000012, 180, " Tienda\nCentro ", "Calle 1")
    [header] = sent(header=place)["template"]["components"]
    location = {
        "latitude": "-0.0000012",
        "longitude": "180",
        "name": "Tienda Centro",
        "address": "Calle 1",
    }
    parameter = {"type": "location", "location": location}
    assert header == {"type": "header", "parameters": [parameter]}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((90.1, 0, "A"), "latitude"),
        ((float("nan"), 0, "A"), "latitude"),
        (("19", 0, "A"), "latitude"),
        ((0, -180.1, "A"), "longitude"),
        ((0, float("inf"), "A"), "longitude"),
        ((0, 0, " \n"), "no_place"),
    ],
)
def test_a_place_that_is_none_is_refused(place, reason):
    with pytest.raises(NotSendable) as refused:
        header_place(*place)
    assert refused.value.reason == reason


def test_named_and_numbered_variables():
    values = {Variable("header", "shop"): "Sur", Variable("body", "who"): "Ana"}
    header, body = sent(values=values)["template"]["components"]
    assert header["parameters"] == [
        {"type": "text", "parameter_name": "shop", "text": "Sur"}
    ]
    assert body["parameters"][0]["parameter_name"] == "who"
    [body] = sent(values={CITY: "b", NAME: "a"})["template"]["components"]
    assert [each["text"] for each in body["parameters"]] == ["a", "b"]


def test_buttons_keep_their_places():
    values = {Variable("code", "code", 3): " 25OFF ", Variable("button", "1", 0): "x"}
    kinds = ["url", "flow", "catalog", "copy_code", "phone_number", "url"]
    made = sent(values=values, buttons=kinds, name="offer")["template"]["components"]
    assert made == [
        {
            "type": "button",
            "sub_type": "url",
            "index": "0",
            "parameters": [{"type": "text", "text": "x"}],
        },
        {
            "type": "button",
            "sub_type": "flow",
            "index": "1",
            "parameters": [{"type": "action", "action": {"flow_token": "offer/1"}}],
        },
        {"type": "button", "sub_type": "CATALOG", "index": 2},
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": 3,
            "parameters": [{"type": "coupon_code", "coupon_code": "25OFF"}],
        },
    ]


@pytest.mark.parametrize("code", ["25 %", "x" * 16, "añil", "a-b"])
def test_a_code_that_cannot_be_copied_is_refused(code):
    with pytest.raises(NotSendable) as refused:
        components({Variable("code", "code"): code})
    assert refused.value.reason == "code"


@pytest.mark.parametrize(
    ("kind", "mime_type", "size", "reason"),
    [
        ("image", "image/jpeg", 5 * MB, None),
        ("image", "image/jpeg", 5 * MB + 1, "size"),
        ("image", "image/webp", 1, "header_type"),
        ("video", "video/3gpp", 16 * MB, None),
        ("video", "video/mp4", 16 * MB + 1, "size"),
        ("document", "application/pdf", 100 * MB, None),
        ("document", "application/pdf", 100 * MB + 1, "size"),
        ("document", "application/pdf", 0, "empty_file"),
        ("document", "application/msword", 1, "header_type"),
    ],
)
def test_files_of_a_header_have_their_types_and_sizes(kind, mime_type, size, reason):
    if not reason:
        return check_header(kind, mime_type, size)
    with pytest.raises(NotSendable) as refused:
        check_header(kind, mime_type, size)
    assert refused.value.reason == reason


def test_a_tap_tells_which_button_of_which_template():
    payload = button_payload("cotizacion_lista", 9)
    assert tapped_button(payload) == ("cotizacion_lista", 9)
    for other in ("", None, "Acepto", "Si / No", "offer/", "offer/100"):
        assert tapped_button(other) == (None, None)


@pytest.mark.parametrize("kind", BUTTONS)
def test_every_button_of_ours_is_supported(kind):
    parts = [{"type": "BUTTONS", "buttons": [{"type": kind, "text": "Tap"}]}]
    assert unsupported({"components": parts}) is None


@pytest.mark.parametrize("nonsense", [None, {}, [None], [{"type": "BUTTONS"}], "x"])
def test_nonsense_breaks_nothing(nonsense):
    assert unsupported({"components": nonsense}) in (None, "component")


@pytest.mark.parametrize(
    "text",
    [
        "19.4326,-99.1332",
        " 19.4326, -99.1332 ",
        "19,4326; -99,1332",
        "19,4326 -99,1332",
        "+19.4326 , -99.1332",
        "https://www.google.com/maps/place/Zocalo/@19.4326,-99.1332,17z/data=!3m1",
        "https://www.google.com/maps/search/?api=1&query=19.4326,-99.1332",
        "https://maps.google.com/?q=19.4326,+-99.1332",
    ],
)
def test_coordinates_as_people_copy_them(text):
    place = Place.at(text, "Tienda")
    assert (place.latitude, place.longitude) == (19.4326, -99.1332)


@pytest.mark.parametrize(
    "text", ["", None, "19.4", "19,4", "1 2 3", "here", "https://x.test/", "1e5, 2"]
)
def test_what_are_no_coordinates(text):
    with pytest.raises(NotSendable) as refused:
        Place.at(text, "Tienda")
    assert refused.value.reason == "coordinates"
