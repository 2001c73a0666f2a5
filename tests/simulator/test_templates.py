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


# -- made and changed --------------------------------------------------------------

PDF = b"%PDF-1.7 a sample"
BODY = {
    "type": "BODY",
    "text": "Hola {{1}}, tu pedido está listo.",
    "example": {"body_text": [["Ana"]]},
}
NEW = {"name": "nueva", "language": "es", "category": "UTILITY"}


@pytest.fixture
def made(business):
    """Hand in a template with these parts; return Meta's answer."""

    def make(*components, **values):
        return business.call(
            "POST",
            f"{business.account['id']}/message_templates",
            json={**NEW, **values, "components": list(components)},
        ).json()

    return make


def refusal(answer):
    error = answer.get("error", {})
    return error.get("code"), error.get("error_subcode")


def begin(business, **values):
    params = {
        "file_name": "a.pdf",
        "file_length": len(PDF),
        "file_type": "application/pdf",
    }
    app = business.app["id"]
    return business.call("POST", f"{app}/uploads", params={**params, **values}).json()


def send_bytes(business, session, content, offset=0, scheme="OAuth"):
    headers = {
        "Authorization": f"{scheme} {business.app['token']}",
        "file_offset": str(offset),
    }
    return business.call("POST", session, data=content, headers=headers).json()


def test_a_sample_is_uploaded_and_goes_on_where_it_ended(business, made):
    session = begin(business)["id"]
    assert session.startswith("upload:") and "?sig=" in session
    assert refusal(send_bytes(business, session, PDF, scheme="Bearer"))[0] == 190
    assert refusal(send_bytes(business, session, PDF[:5]))[0] == 100
    assert business.get(session).json()["file_offset"] == 5
    assert refusal(send_bytes(business, session, PDF))[0] == 100
    handle = send_bytes(business, session, PDF[5:], 5)["h"]
    header = {
        "type": "HEADER",
        "format": "DOCUMENT",
        "example": {"header_handle": [handle]},
    }
    assert made(header, BODY)["status"] == "PENDING"
    picture = {**header, "format": "IMAGE"}
    assert refusal(made(picture, BODY, name="otra")) == (100, 2388043)
    strange = {**header, "example": {"header_handle": ["x"]}}
    assert refusal(made(strange, BODY, name="otra")) == (100, 2388043)


@pytest.mark.parametrize(
    "values", [{"file_length": 0}, {"file_type": "video/3gpp"}, {"file_length": ""}]
)
def test_an_upload_that_is_refused(business, values):
    assert refusal(begin(business, **values))[0] == 100


def test_every_part_as_meta_documents_it(made):
    answer = made(
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Pedido {{numero}}",
            "example": {
                "header_text_named_params": [{"param_name": "numero", "example": "S1"}]
            },
        },
        {
            "type": "BODY",
            "text": "Hola {{nombre}}, tu pedido está listo.",
            "example": {
                "body_text_named_params": [{"param_name": "nombre", "example": "Ana"}]
            },
        },
        {"type": "FOOTER", "text": "Hasta pronto"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Gracias"},
                {
                    "type": "URL",
                    "text": "Ver",
                    "url": "https://x.test/{{1}}",
                    "example": ["https://x.test/1"],
                },
                {"type": "PHONE_NUMBER", "text": "Llamar", "phone_number": "+5255"},
                {"type": "COPY_CODE", "example": "25OFF"},
                {"type": "FLOW", "text": "Reservar", "flow_id": "1"},
                {"type": "CATALOG", "text": "View catalog"},
            ],
        },
        parameter_format="NAMED",
    )
    assert answer["status"] == "PENDING"


def body(text, *examples):
    return {"type": "BODY", "text": text, "example": {"body_text": [list(examples)]}}


def buttons(*made):
    return {"type": "BUTTONS", "buttons": list(made)}


YES = {"type": "QUICK_REPLY", "text": "Sí"}
WEB = {"type": "URL", "text": "Web", "url": "https://x.test"}


@pytest.mark.parametrize(
    ("components", "subcode"),
    [
        ([body("{{1}}, tu pedido está listo.", "Ana")], 2388299),
        ([body("Hola {{1}}.", "Ana")], 2388293),
        ([body("Hola {{1}}, tu pedido está listo.")], 2388043),
        ([body("Hola {{1}}, tu pedido está listo.", "Ana", "Luis")], 2388043),
        ([BODY, BODY], None),
        ([BODY, {"type": "HEADER", "format": "TEXT", "text": "*Hola*"}], 2388047),
        ([BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], 2388047),
        ([BODY, {"type": "HEADER", "format": "IMAGE"}], 2388043),
        ([BODY, {"type": "FOOTER", "text": "Hola {{1}}"}], 2388073),
        ([BODY, buttons()], None),
        ([BODY, buttons(YES, WEB, YES)], None),
        ([BODY, buttons(*[WEB] * 3)], None),
        ([BODY, buttons({**YES, "text": "x" * 26})], None),
        ([BODY, buttons({**WEB, "url": "https://x.test/{{1}}"})], None),
        ([BODY, buttons({"type": "COPY_CODE", "example": "25 OFF"})], None),
        ([BODY, buttons({"type": "FLOW", "text": "x"})], None),
        ([BODY, buttons({"type": "PHONE_NUMBER", "text": "x"})], None),
    ],
)
def test_a_new_template_that_is_refused(made, components, subcode):
    assert refusal(made(*components)) == (100, subcode)


def test_what_may_be_changed_and_how_often(simulator, business, made):
    uid = made(BODY)["id"]

    def edit(**values):
        answer = business.call("POST", uid, json={"components": [BODY], **values})
        return refusal(answer.json())

    assert edit() == (100, 2388039)  # it is reviewed
    simulator.template(id=uid, status="REJECTED", rejected_reason="SCAM")
    assert edit(category="MARKETING") == (None, None)
    simulator.template(id=uid, status="APPROVED")
    assert edit(category="UTILITY") == (100, None)
    assert edit(name="otra") == (100, None)
    assert edit() == (None, None)
    simulator.template(id=uid, status="APPROVED")
    assert edit() == (100, None)  # once a day


def test_a_refusal_says_what_to_do(simulator, business, made, callback):
    uid = made(BODY)["id"]
    info = {"reason": "x", "recommendation": "Write a word after it."}
    simulator.template(
        id=uid, status="REJECTED", rejected_reason="INVALID_FORMAT", rejection_info=info
    )
    simulator.wait()
    value = callback.values()[-1]
    assert (value["reason"], value["rejection_info"]) == ("INVALID_FORMAT", info)


def test_what_is_disabled_is_not_deleted(simulator, business, made):
    uid = made(BODY)["id"]
    simulator.template(id=uid, status="DISABLED")
    path = f"{business.account['id']}/message_templates"
    params = {"hsm_id": uid, "name": "nueva"}
    assert refusal(business.call("DELETE", path, params=params).json())[0] == 100
    assert (
        refusal(business.call("DELETE", path, params={"hsm_id": uid}).json())[0] == 100
    )
    simulator.template(id=uid, status="PAUSED")
    assert business.call("DELETE", path, params=params).json() == {"success": True}
