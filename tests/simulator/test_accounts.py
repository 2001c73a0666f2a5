# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Templates with their pages, and what health checks read."""

import pytest

BODY = {
    "type": "BODY",
    "text": "Hola {{1}}, buenos días",
    "example": {"body_text": [["Ana"]]},
}
NEW = {
    "name": "nueva",
    "language": "es",
    "category": "UTILITY",
    "components": [BODY],
}


@pytest.fixture
def templates(business):
    return f"{business.account['id']}/message_templates"


def test_preloaded_templates(business, templates):
    found = {
        (t["name"], t["language"]): t for t in business.get(templates).json()["data"]
    }
    states = {t["status"] for t in found.values()}
    assert states == {"APPROVED", "PAUSED", "REJECTED"}
    assert found["cita_confirmada", "es_MX"]["parameter_format"] == "NAMED"
    assert found["saludo_inicial", "es"]["components"][0]["type"] == "BODY"
    buttons = found["oferta_con_botones", "es"]["components"][2]["buttons"]
    assert [button["type"] for button in buttons] == ["QUICK_REPLY", "URL"]


def names_of(business, path, **query):
    """All names, following `paging.next` to the end; and the sizes of the pages."""
    names, sizes = [], []
    answer = business.get(path, **query).json()
    while True:
        names += [template["name"] for template in answer["data"]]
        sizes.append(len(answer["data"]))
        following = answer.get("paging", {}).get("next")
        if not following:
            return names, sizes
        answer = business.http.get(following, timeout=5).json()


def test_sixty_templates_come_in_pages_of_25(simulator, business):
    account = simulator.account(preload=False, app_ids=[business.app["id"]])
    simulator.template(account_id=account["id"], count=60)
    names, sizes = names_of(business, f"{account['id']}/message_templates")
    assert sizes == [25, 25, 10]
    assert names == [f"plantilla_{n:03d}" for n in range(1, 61)]


def test_limit_and_cursor(simulator, business):
    account = simulator.account(preload=False, app_ids=[business.app["id"]])
    simulator.template(account_id=account["id"], count=7)
    path = f"{account['id']}/message_templates"
    first = business.get(path, limit=3, fields="name,status").json()
    assert set(first["data"][0]) == {"id", "name", "status"}
    after = first["paging"]["cursors"]["after"]
    second = business.get(path, limit=3, after=after).json()
    assert [t["name"][-1] for t in second["data"]] == ["4", "5", "6"]
    before = second["paging"]["cursors"]["before"]
    again = business.get(path, limit=3, before=before).json()
    assert [t["name"][-1] for t in again["data"]] == ["1", "2", "3"]
    assert names_of(business, path, limit=3)[1] == [3, 3, 1]


def test_last_page_exactly_full_and_no_templates(simulator, business):
    account = simulator.account(preload=False, app_ids=[business.app["id"]])
    path = f"{account['id']}/message_templates"
    assert business.get(path).json() == {"data": []}
    simulator.template(account_id=account["id"], count=25)
    assert names_of(business, path)[1] == [25]


def test_filter_by_name_and_status(business, templates):
    assert names_of(business, templates, name="saludo_inicial")[0] == [
        "saludo_inicial",
        "saludo_inicial",
    ]
    assert names_of(business, templates, status="PAUSED")[0] == ["promocion_verano"]


def test_create_approve_send_delete(simulator, business, templates, ana, callback):
    made = business.call("POST", templates, json=NEW).json()
    assert (made["status"], made["category"]) == ("PENDING", "UTILITY")
    content = {
        "name": "nueva",
        "language": {"code": "es"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "A"}]}],
    }
    refused = business.send(kind="template", template=content)
    assert refused.json()["error"]["code"] == 132001
    simulator.template(id=made["id"], status="APPROVED")
    (body,) = callback.bodies()
    change = body["entry"][0]["changes"][0]
    assert change["field"] == "message_template_status_update"
    assert change["value"]["event"] == "APPROVED"
    assert change["value"]["message_template_id"] == int(made["id"])
    assert business.send(kind="template", template=content).status_code == 200
    assert business.get(made["id"], fields="status").json()["status"] == "APPROVED"
    deleted = business.call("DELETE", templates, params={"name": "nueva"})
    assert deleted.json() == {"success": True}
    assert business.get(made["id"]).status_code == 400


@pytest.mark.parametrize(
    ("change", "subcode"),
    [
        ({"name": "Con Mayúsculas"}, None),
        ({"name": ""}, None),
        ({"category": "SALES"}, None),
        ({"components": [{"type": "FOOTER", "text": "x"}]}, None),
        (
            {"components": [{"type": "BODY", "text": "Hola {{1}}, buenos días"}]},
            2388043,
        ),
        ({"components": [BODY | {"text": "Hola {{2}}, buenos días"}]}, 2388072),
        ({"name": "saludo_inicial"}, 2388024),
    ],
)
def test_new_template_refused(change, subcode, business, templates):
    error = business.call("POST", templates, json=NEW | change).json()["error"]
    assert (error["code"], error.get("error_subcode")) == (100, subcode)


def test_edit_and_delete_by_id(business, templates):
    (template,) = business.get(templates, name="retomar_conversacion").json()["data"]
    body = {"components": [{"type": "BODY", "text": "Hola de nuevo"}]}
    business.call("POST", template["id"], json=body)
    edited = business.get(template["id"]).json()
    assert edited["components"][0]["text"] == "Hola de nuevo"
    assert edited["status"] == "PENDING"
    params = {"hsm_id": template["id"], "name": template["name"]}
    business.call("DELETE", templates, params=params)
    assert business.get(templates, name="retomar_conversacion").json()["data"] == []
    error = business.call("DELETE", templates, params={"name": "nada"}).json()["error"]
    assert error["error_subcode"] == 2593002


def test_paced_template_tells_its_message_status(simulator, business, ana):
    simulator.template(
        name="lenta",
        language="es",
        components=[{"type": "BODY", "text": "x"}],
        message_status="held_for_quality_assessment",
    )
    content = {"name": "lenta", "language": {"code": "es"}}
    answer = business.send(kind="template", template=content).json()
    assert answer["messages"][0]["message_status"] == "held_for_quality_assessment"


# -- health --------------------------------------------------------------------------


def test_number_by_default_and_by_fields(simulator, business, callback):
    number = business.get(business.number["id"]).json()
    assert number["display_phone_number"] == "+34 910555666"
    assert number["quality_rating"] == "GREEN"
    assert number["platform_type"] == "CLOUD_API"
    assert number["webhook_configuration"] == {"application": callback.url}
    simulator.number(
        id=business.number["id"], quality_rating="RED", messaging_limit="TIER_10K"
    )
    fields = "quality_rating,whatsapp_business_manager_messaging_limit,name_status"
    assert business.get(business.number["id"], fields=fields).json() == {
        "id": business.number["id"],
        "quality_rating": "RED",
        "whatsapp_business_manager_messaging_limit": "TIER_10K",
        "name_status": "APPROVED",
    }


def test_unknown_field_is_refused(business):
    error = business.get(business.number["id"], fields="colour").json()["error"]
    assert error["code"] == 100 and "(colour)" in error["message"]


def test_account_with_its_numbers_and_subscriptions(business):
    account = business.account["id"]
    assert business.get(account).json()["name"] == "Simulated account"
    (number,) = business.get(f"{account}/phone_numbers").json()["data"]
    assert number["id"] == business.number["id"]
    (entry,) = business.get(f"{account}/subscribed_apps").json()["data"]
    assert entry["whatsapp_business_api_data"]["id"] == business.app["id"]
    business.call("DELETE", f"{account}/subscribed_apps")
    assert business.get(f"{account}/subscribed_apps").json() == {"data": []}


def test_debug_token(simulator, business):
    data = business.get("debug_token", input_token=business.app["token"]).json()["data"]
    assert data["is_valid"] and data["app_id"] == business.app["id"]
    assert data["granular_scopes"][0]["target_ids"] == [business.account["id"]]
    data = business.get("debug_token", input_token="wrong").json()["data"]
    assert data["is_valid"] is False and data["error"]["code"] == 190


def test_a_token_that_ends_or_lacks_a_permission(simulator, business):
    def info():
        return business.get("debug_token", input_token=business.app["token"]).json()

    end = int(simulator.clock()) + 60
    simulator.app(
        id=business.app["id"],
        token_type="USER",
        token_expires_at=end,
        token_data_expires_at=end + 1,
        token_scopes=["whatsapp_business_messaging"],
    )
    data = info()["data"]
    assert (data["type"], data["expires_at"], data["is_valid"]) == ("USER", end, True)
    assert data["data_access_expires_at"] == end + 1
    assert data["scopes"] == ["whatsapp_business_messaging"]
    simulator.clock(advance=120)
    assert info()["error"]["error_subcode"] == 463


@pytest.mark.parametrize(
    ("asked", "served"),
    [("v18.0", "v21.0"), ("v23.0", "v23.0"), ("v25.0", "v25.0"), (None, "v25.0")],
)
def test_version_header(asked, served, business):
    path = (
        f"{business.number['id']}"
        if asked is None
        else f"{asked}/{business.number['id']}"
    )
    answer = business.http.get(f"{business.url}/{path}", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["facebook-api-version"] == served


def test_request_log_holds_no_token(simulator, business):
    business.get(business.number["id"])
    business.send()
    log = simulator.requests()
    assert [(r["method"], r["http"], r["code"]) for r in log] == [
        ("GET", 200, None),
        ("POST", 400, 131047),
    ]
    assert business.app["token"] not in str(log)
