# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta refuses, with which code, and that the rest is accepted."""

import pytest

TEXT = {"type": "text", "text": {"body": "Hola"}}
TO = {"to": "+34600111222"}


def interactive(kind, action, **more):
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": "Elige"}, "action": action}
        | more,
    }


def button(title="Sí", identifier="si"):
    return {"type": "reply", "reply": {"id": identifier, "title": title}}


def rows(count, **more):
    made = [{"id": f"r{n}", "title": f"Fila {n}"} | more for n in range(count)]
    return {"button": "Ver", "sections": [{"title": "Todo", "rows": made}]}


def template(name="saludo_inicial", language="es", **components):
    parts = [
        {"type": kind, "parameters": parameters}
        for kind, parameters in components.items()
    ]
    return {
        "type": "template",
        "template": {
            "name": name,
            "language": {"code": language},
            "components": parts,
        },
    }


def texts(*values):
    return [{"type": "text", "text": value} for value in values]


def named(**values):
    return [
        {"type": "text", "parameter_name": name, "text": text}
        for name, text in values.items()
    ]


def url_button(*values):
    return {
        "type": "button",
        "sub_type": "url",
        "index": "1",
        "parameters": texts(*values),
    }


def offer(*buttons):
    made = template("oferta_con_botones", header=texts("Ana"), body=texts("S1"))
    made["template"]["components"].extend(buttons)
    return made


REFUSED = {
    "no recipient": (TEXT, 100),
    "no type's object": (TO | {"type": "text"}, 100),
    "unknown type": (TO | {"type": "fax", "fax": {}}, 100),
    "empty body": (TO | {"type": "text", "text": {"body": ""}}, 100),
    "long text": (TO | {"type": "text", "text": {"body": "x" * 4097}}, 100),
    "body is a number": (TO | {"type": "text", "text": {"body": 5}}, 100),
    "odd structure": (TO | interactive("button", {"buttons": ["x"]}), 100),
    "group": (TO | TEXT | {"recipient_type": "group"}, 100),
    "long callback data": (TO | TEXT | {"biz_opaque_callback_data": "x" * 513}, 100),
    "context without id": (TO | TEXT | {"context": {}}, 100),
    "not a number": (TEXT | {"to": "Ana"}, 131009),
    "unknown BSUID": (TEXT | {"recipient": "ES.000"}, 131009),
    "to ourselves": (TEXT | {"to": "+34 910 555 666"}, 131021),
    "image without id": (TO | {"type": "image", "image": {}}, 131008),
    "unknown file": (TO | {"type": "image", "image": {"id": "1"}}, 100),
    "link without scheme": (TO | {"type": "image", "image": {"link": "x.png"}}, 100),
    "id and link": (
        TO | {"type": "image", "image": {"id": "1", "link": "https://x.test/1"}},
        100,
    ),
    "audio with caption": (
        TO | {"type": "audio", "audio": {"link": "https://x.test/1", "caption": "x"}},
        100,
    ),
    "long caption": (
        TO
        | {
            "type": "image",
            "image": {"link": "https://x.test/1", "caption": "x" * 1025},
        },
        100,
    ),
    "no latitude": (TO | {"type": "location", "location": {"longitude": 1}}, 131008),
    "far away": (
        TO | {"type": "location", "location": {"latitude": 91, "longitude": 1}},
        131009,
    ),
    "no cards": (TO | {"type": "contacts", "contacts": []}, 131008),
    "card without name": (TO | {"type": "contacts", "contacts": [{"name": {}}]}, 100),
    "reaction to nothing": (TO | {"type": "reaction", "reaction": {}}, 131008),
    "reaction to a stranger": (
        TO | {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "x"}},
        131009,
    ),
    "no buttons": (TO | interactive("button", {"buttons": []}), 131008),
    "four buttons": (
        TO
        | interactive("button", {"buttons": [button(str(n), str(n)) for n in "1234"]}),
        131009,
    ),
    "long button": (
        TO | interactive("button", {"buttons": [button("x" * 21)]}),
        131009,
    ),
    "same button twice": (
        TO | interactive("button", {"buttons": [button(), button("No")]}),
        131009,
    ),
    "long footer": (
        TO | interactive("button", {"buttons": [button()]}, footer={"text": "x" * 61}),
        131009,
    ),
    "eleven rows": (TO | interactive("list", rows(11)), 131009),
    "long row": (TO | interactive("list", rows(1, description="x" * 73)), 131009),
    "list without sections": (TO | interactive("list", {"button": "Ver"}), 131008),
    "list with picture": (
        TO
        | interactive("list", rows(1), header={"type": "image", "image": {"id": "1"}}),
        131009,
    ),
    "unknown interactive": (TO | interactive("game", {"x": 1}), 100),
    "link button without url": (
        TO | interactive("cta_url", {"name": "cta_url", "parameters": {}}),
        131008,
    ),
    "wrong action name": (
        TO | interactive("request_contact_info", {"name": "contact_request"}),
        131009,
    ),
    "template missing": (TO | template("nada"), 132001),
    "template in other language": (TO | template(language="fr"), 132001),
    "template rejected": (TO | template("encuesta", body=texts("Ana")), 132001),
    "template paused": (TO | template("promocion_verano", body=texts("x")), 132015),
    "too few parameters": (TO | template(body=texts("Ana")), 132000),
    "too many parameters": (TO | template(body=texts("a", "b", "c")), 132000),
    "empty parameter": (TO | template(body=texts("Ana", "")), 131008),
    "newline in parameter": (TO | template(body=texts("Ana", "a\nb")), 132018),
    "tab in parameter": (TO | template(body=texts("Ana", "a\tb")), 132018),
    "spaces in parameter": (TO | template(body=texts("Ana", "a    b")), 132018),
    "long parameter": (TO | template(body=texts("Ana", "x" * 1025)), 132005),
    "named into positional": (TO | template(body=named(a="x", b="y")), 132012),
    "positional into named": (
        TO | template("cita_confirmada", "es_MX", body=texts("a", "b")),
        132012,
    ),
    "wrong names": (
        TO | template("cita_confirmada", "es_MX", body=named(nombre="a", dia="b")),
        132012,
    ),
    "missing document header": (TO | template("folleto"), 132012),
    "url button without value": (TO | offer(), 131008),
    "button out of range": (
        TO | offer(url_button("x"), url_button("x") | {"index": "7"}),
        131009,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_metas_code(case, business, open_window):
    payload, code = REFUSED[case]
    response = business.post({"messaging_product": "whatsapp"} | payload)
    error = response.json()["error"]
    assert error["code"] == code, error
    assert response.status_code == (404 if code == 132001 else 400)
    assert error["type"] == "OAuthException"
    assert error["message"].startswith(f"(#{code})")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["error_data"]["details"]
    assert error["fbtrace_id"]


ACCEPTED = {
    "text": TO | TEXT,
    "longest text": TO | {"type": "text", "text": {"body": "x" * 4096}},
    "spelt number": TEXT | {"to": "+34 (600) 111-222"},
    "link": TO
    | {"type": "image", "image": {"link": "https://x.test/1", "caption": "x"}},
    "location": TO
    | {"type": "location", "location": {"latitude": "40.4", "longitude": -3.7}},
    "contacts": TO
    | {"type": "contacts", "contacts": [{"name": {"formatted_name": "Luis"}}]},
    "buttons": TO | interactive("button", {"buttons": [button(), button("No", "no")]}),
    "list": TO | interactive("list", rows(10)),
    "link button": TO
    | interactive(
        "cta_url",
        {"name": "cta_url", "parameters": {"display_text": "x", "url": "https://x"}},
    ),
    "flow": TO
    | interactive(
        "flow",
        {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_id": "1",
                "flow_cta": "Abrir",
            },
        },
    ),
    "ask for the place": TO
    | interactive("location_request_message", {"name": "send_location"}),
    "ask for the number": TO
    | interactive("request_contact_info", {"name": "request_contact_info"}),
    "template": TO | template(body=texts("Ana", "Luis")),
    "template without variables": TO | template("retomar_conversacion"),
    "named template": TO
    | template("cita_confirmada", "es_MX", body=named(fecha="hoy", nombre="Ana")),
    "template with buttons": TO | offer(url_button("42")),
    "template with document": TO
    | template(
        "folleto",
        header=[{"type": "document", "document": {"link": "https://x.test/1.pdf"}}],
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case, business, open_window):
    response = business.post({"messaging_product": "whatsapp"} | ACCEPTED[case])
    assert response.status_code == 200, response.text
    assert response.json()["contacts"][0]["wa_id"] == "34600111222"
    assert response.json()["messages"][0]["id"].startswith("wamid.")


def test_messaging_product_is_required(business, open_window):
    error = business.post(TO | TEXT).json()["error"]
    assert error["code"] == 100
    assert "messaging_product" in error["error_data"]["details"]


def test_body_that_is_no_json(business):
    path = f"{business.number['id']}/messages"
    response = business.call("POST", path, data=b"{", headers={"Content-Type": "x/y"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, 100)


# -- identity of the caller ---------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [("Bearer wrong", 401, 190), (None, 403, 200)],
)
def test_without_the_right_token(header, status, code, business):
    business.http.headers["Authorization"] = header
    response = business.send()
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_expired_token_tells_its_subcode(simulator, business):
    simulator.app(id=business.app["id"], token_valid=False, token_subcode=463)
    error = business.send().json()["error"]
    assert (error["code"], error["error_subcode"]) == (190, 463)


@pytest.mark.parametrize("path", ["999/messages", "999", "999/message_templates"])
def test_unknown_object(path, business):
    method = "POST" if path.endswith("messages") else "GET"
    response = business.call(method, path, json={})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, 100)
    assert (error["error_subcode"], error["type"]) == (33, "GraphMethodException")


def test_number_of_another_app_is_unknown(simulator, business):
    other = simulator.setup(number={"phone": "34911000111"})
    response = business.post({"messaging_product": "whatsapp"}, number=other["number"])
    assert response.json()["error"]["error_subcode"] == 33


def test_unknown_path(business):
    response = business.get(f"{business.number['id']}/nothing/here")
    assert response.json()["error"]["code"] == 2500


# -- circumstances ------------------------------------------------------------------


def test_nobody_wrote_so_only_templates(business, ana):
    assert business.send().json()["error"]["code"] == 131047
    payload = {"messaging_product": "whatsapp"} | TO
    assert business.post(payload | template(body=texts("a", "b"))).status_code == 200
    assert business.send().json()["error"]["code"] == 131047


def test_window_closes_after_24_hours(simulator, business, ana, open_window):
    simulator.clock(advance=24 * 3600 - 60)
    assert business.send().status_code == 200
    simulator.clock(advance=60)
    assert business.send().json()["error"]["code"] == 131047
    ana.send_text("¿Hola?")
    assert business.send().status_code == 200


def test_window_counts_metas_timestamp(business, ana):
    ana.send_text("vieja", age=25 * 3600)
    assert business.send().json()["error"]["code"] == 131047


def test_reaction_opens_no_window(business, ana):
    ana.react("wamid.some")
    assert business.send().json()["error"]["code"] == 131047


def test_window_belongs_to_one_number(simulator, business, open_window):
    second = simulator.number(account_id=business.account["id"], phone="34910777888")
    payload = {"messaging_product": "whatsapp"} | TO | TEXT
    assert business.post(payload, number=second).json()["error"]["code"] == 131047


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"on_whatsapp": False}, 131026),
        ({"marketing_opt_out": True}, 131050),
    ],
)
def test_person_cannot_be_reached(change, code, business, ana):
    ana.change(**change)
    payload = {"messaging_product": "whatsapp"} | TO | template(body=texts("a", "b"))
    assert business.post(payload).json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"allowed_recipients": ["+34 699 000 000"]}, 131030),
        ({"registered": False}, 133010),
        ({"status": "LOCKED"}, 131031),
    ],
)
def test_number_may_not_send(change, code, simulator, business, open_window):
    simulator.number(id=business.number["id"], **change)
    assert business.send().json()["error"]["code"] == code
    back = {"allowed_recipients": ["+34 600 111 222"]}
    simulator.number(
        id=business.number["id"], registered=True, status="CONNECTED", **back
    )
    assert business.send().status_code == 200


def test_unknown_persons_may_be_refused(simulator, business):
    simulator.settings(unknown_persons="refuse")
    assert business.send(to="+34600999999").json()["error"]["code"] == 131026


def test_bsuid_in_to_only_if_allowed(simulator, business, ana, open_window):
    assert business.send(to=ana.bsuid()).json()["error"]["code"] == 131009
    simulator.settings(bsuid_in_to=True)
    assert business.send(to=ana.bsuid()).json()["contacts"] == [
        {"input": ana.bsuid(), "user_id": ana.bsuid()}
    ]


def test_authentication_template_needs_a_phone(business, ana):
    code = template("codigo_de_acceso", body=texts("123456"))
    button = {"type": "button", "sub_type": "url", "index": 0}
    code["template"]["components"].append(button | {"parameters": texts("123456")})
    payload = {"messaging_product": "whatsapp"} | code
    refused = business.post(payload | {"recipient": ana.bsuid()})
    assert refused.json()["error"]["code"] == 131062
    assert business.post(payload | TO).status_code == 200


def test_without_plus_the_own_calling_code_is_put_in_front(
    simulator, business, open_window
):
    stranger = simulator.person("3434600111222")
    stranger.send_text("x")
    response = business.send(to="34600111222")
    assert response.json()["contacts"][0]["wa_id"] == "3434600111222"
    assert business.send(to="600 111 222").json()["contacts"] == [
        {"input": "600 111 222", "wa_id": "34600111222"}
    ]


def test_to_wins_over_recipient(simulator, business, open_window):
    luis = simulator.person("34600333444", name="Luis")
    response = business.send(recipient=luis.bsuid())
    assert response.json()["contacts"][0]["wa_id"] == "34600111222"


def test_bsuid_of_another_portfolio_is_refused(simulator, business, ana, open_window):
    foreign = simulator.account(name="Other portfolio")
    ana.change()
    payload = {"messaging_product": "whatsapp", "recipient": ana.bsuid(foreign["id"])}
    assert business.post(payload | TEXT).json()["error"]["code"] == 131009


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("5215512345678", "+525512345678"),
        ("525512345678", "+5215512345678"),
        ("554188887777", "+5541988887777"),
        ("5541988887777", "+554188887777"),
    ],
)
def test_both_spellings_reach_one_person(stored, written, simulator, business):
    simulator.person(stored).send_text("Hola")
    assert business.send(to=written).json()["contacts"] == [
        {"input": written, "wa_id": stored}
    ]


def test_throughput(simulator, business, open_window):
    simulator.settings(throughput=2)
    codes = [business.send().status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert business.send().json()["error"]["code"] == 130429
    simulator.clock(advance=1.1)
    assert business.send().status_code == 200


def test_pair_limit_is_per_person(simulator, business, open_window):
    simulator.person("34600333444").send_text("Hola")
    simulator.settings(pair_limit={"messages": 1, "seconds": 6})
    assert business.send().status_code == 200
    assert business.send().json()["error"]["code"] == 131056
    assert business.send(to="+34600333444").status_code == 200
    simulator.clock(advance=6.1)
    assert business.send().status_code == 200


def test_reaction_to_the_customers_message(simulator, business, open_window):
    target = {"message_id": open_window, "emoji": "👍"}
    assert business.send(kind="reaction", reaction=target).status_code == 200
    simulator.clock(advance=23 * 3600)
    assert business.send(kind="reaction", reaction=target).status_code == 200


def test_no_reaction_to_a_reaction_or_an_old_message(
    simulator, business, ana, open_window
):
    reaction = ana.react(open_window)
    refused = business.send(
        kind="reaction", reaction={"message_id": reaction, "emoji": "x"}
    )
    assert refused.json()["error"]["code"] == 131009
    simulator.clock(advance=31 * 86400)
    ana.send_text("again")
    refused = business.send(
        kind="reaction", reaction={"message_id": open_window, "emoji": "x"}
    )
    assert refused.json()["error"]["code"] == 131009


# -- mark as read --------------------------------------------------------------------


def read(wamid, **more):
    return {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": wamid,
    } | more


def test_mark_as_read_marks_earlier_ones_too(simulator, business, ana, open_window):
    second = ana.send_text("¿Sigues ahí?")
    answer = business.post(read(second, typing_indicator={"type": "text"}))
    assert answer.json() == {"success": True}
    seen = {m["wamid"]: (m["read"], m["typing"]) for m in simulator.received()}
    assert seen == {open_window: (True, False), second: (True, True)}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (read("wamid.unknown"), 131009),
        (read(None), 131008),
        (read("wamid.unknown") | {"status": "seen"}, 100),
    ],
)
def test_mark_as_read_refused(payload, code, business):
    assert business.post(payload).json()["error"]["code"] == code
