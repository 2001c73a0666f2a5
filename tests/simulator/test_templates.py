# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is sent for a template's header and buttons is checked as Meta checks it."""

import pytest

TO = {"messaging_product": "whatsapp", "to": "+34600111222", "type": "template"}
PLACE = {"latitude": "19.4", "longitude": "-99.1", "name": "Tienda", "address": "Calle"}
BUTTONS = [
    {"type": "QUICK_REPLY", "text": "Acepto"},
    {"type": "URL", "text": "Ver", "url": "https://x.test/{{1}}"},
    {"type": "URL", "text": "Web", "url": "https://x.test"},
    {"type": "PHONE_NUMBER", "text": "Llamar", "phone_number": "+525512345678"},
    {"type": "COPY_CODE", "text": "Copiar", "example": ["25OFF"]},
    {"type": "FLOW", "text": "Reservar", "flow_id": 1},
    {"type": "CATALOG", "text": "Ver todo"},
]


def button(index, kind, parameter=None):
    made = {"type": "button", "sub_type": kind, "index": index}
    return {**made, "parameters": [parameter]} if parameter else made


REPLY = button("0", "quick_reply", {"type": "payload", "payload": "oferta/0"})
LINK = button("1", "url", {"type": "text", "text": "42"})
CODE = button(4, "copy_code", {"type": "coupon_code", "coupon_code": "25OFF"})
FORM = button("5", "flow", {"type": "action", "action": {"flow_token": "oferta/5"}})
CATALOG = button(6, "CATALOG")
ALL = [REPLY, LINK, CODE, FORM, CATALOG]


def header(kind, content):
    return {"type": "header", "parameters": [{"type": kind, kind: content}]}


@pytest.fixture
def send(simulator, business, ana):
    def send(registered, *components):
        """Register a template with these parts, and send it with those."""
        simulator.template(
            account_id=business.account["id"],
            name="prueba",
            language="es",
            components=[{"type": "BODY", "text": "Hola"}, *registered],
        )
        content = {
            "name": "prueba",
            "language": {"code": "es"},
            "components": list(components),
        }
        answer = business.post({**TO, "template": content})
        return answer.json().get("error", {}).get("code", answer.status_code)

    return send


def instead(index, changed):
    return [*ALL[:index], changed, *ALL[index + 1 :]]


def test_every_button_as_meta_documents_it(send):
    assert send([{"type": "BUTTONS", "buttons": BUTTONS}], *ALL) == 200


def test_what_needs_no_value_may_be_left_out(send):
    assert send([{"type": "BUTTONS", "buttons": BUTTONS}], LINK, CODE, FORM) == 200


@pytest.mark.parametrize(
    ("components", "code"),
    [
        ([REPLY, LINK, FORM], 131008),  # no code
        ([LINK, CODE], 131009),  # no form
        ([CODE, FORM], 131008),  # no end of the link
        (instead(0, button("0", "url", {"type": "text", "text": "x"})), 131009),
        (instead(0, button("0", "quick_reply", {"type": "text", "text": "x"})), 132012),
        (
            instead(
                0, button("0", "quick_reply", {"type": "payload", "payload": "x" * 129})
            ),
            131009,
        ),
        (instead(1, button("1", "url", {"type": "payload", "payload": "x"})), 132012),
        (instead(1, button("1", "url", {"type": "text", "text": "a\nb"})), 132018),
        ([*ALL, button("2", "url", {"type": "text", "text": "x"})], 132018),
        ([*ALL, button("3", "phone_number", {"type": "text", "text": "x"})], 132018),
        ([*ALL, button("7", "url")], 131009),
        ([*ALL, button("first", "url")], 100),
        (
            instead(2, button(4, "copy_code", {"type": "text", "text": "25OFF"})),
            132012,
        ),
        (
            instead(
                2,
                button(4, "copy_code", {"type": "coupon_code", "coupon_code": "25 %"}),
            ),
            132018,
        ),
        (instead(3, button("5", "flow", {"type": "payload", "payload": "x"})), 132012),
        (instead(3, button("5", "flow", {"type": "action"})), 131008),
    ],
)
def test_a_wrong_button_is_refused(send, components, code):
    assert send([{"type": "BUTTONS", "buttons": BUTTONS}], *components) == code


@pytest.mark.parametrize(
    ("kind", "component", "code"),
    [
        ("LOCATION", header("location", PLACE), 200),
        ("LOCATION", header("location", {**PLACE, "latitude": 19.4}), 200),
        ("LOCATION", header("location", {**PLACE, "latitude": "north"}), 132012),
        ("LOCATION", header("location", {**PLACE, "latitude": "91"}), 131009),
        ("LOCATION", header("location", {**PLACE, "name": ""}), 131008),
        ("LOCATION", header("location", {"latitude": "1", "name": "A"}), 131008),
        ("LOCATION", header("image", {"link": "https://x.test/a.png"}), 132012),
        ("IMAGE", header("image", {"link": "https://x.test/a.png"}), 200),
        ("IMAGE", header("document", {"link": "https://x.test/a.pdf"}), 132012),
        ("IMAGE", header("image", {"id": "1", "caption": "Hola"}), 100),
        ("IMAGE", header("image", {}), 131008),
        ("IMAGE", header("image", {"id": "uploaded when it is sent"}), 100),
        ("VIDEO", {"type": "header", "parameters": []}, 132012),
        ("TEXT", header("text", "Hola"), 132000),
    ],
)
def test_the_header_has_the_registered_form(send, kind, component, code):
    registered = {"type": "HEADER", "format": kind, "text": "Aviso"}
    assert send([registered], component) == code


@pytest.mark.parametrize(
    ("kind", "mime_type", "code"),
    [
        ("document", "application/pdf", 200),
        ("document", "text/plain", 131053),
        ("image", "image/png", 200),
        ("image", "application/pdf", 131053),
        ("video", "video/mp4", 200),
    ],
)
def test_an_uploaded_file_fits_the_header(send, business, kind, mime_type, code):
    item = business.upload(b"content", mime_type).json()["id"]
    registered = {"type": "HEADER", "format": kind.upper()}
    assert send([registered], header(kind, {"id": item})) == code
