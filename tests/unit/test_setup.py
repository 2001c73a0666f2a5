# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is tested of a set-up, and that no token is ever told."""

import ast
import csv
import logging
import re
import traceback
from pathlib import Path

import pytest
import requests
from tools import probe, setup
from tools.checks import CHECKS
from tools.cloud_api import CloudApi, Subscription
from tools.errors import CloudApiError

ADDON = Path(setup.__file__).parents[1]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TOKEN = "EAAsecretToken123"
URL = "https://odoo.company.com/gateway/whatsapp/key/update"


def _shipped():
    """What every outcome is, by its code, as the addon ships them."""
    rows = []
    for path in sorted((ADDON / "data").glob("whatsapp.gateway.check.outcome*.csv")):
        with path.open(encoding="utf-8") as file:
            rows += csv.DictReader(file)
    assert len(rows) == len({row["code"] for row in rows}) > 90
    return {row["code"]: row for row in rows}


OUTCOMES = _shipped()
SOURCES = [
    *((ADDON / "tools" / name) for name in ("checks.py", "probe.py", "setup.py")),
    *(ADDON / "models").glob("whatsapp_gateway_check*.py"),
]
# What a row says without a result
OF_ROWS = {"untested", "changed"}


def _results():
    """Each result that the code makes: code, and names of its values."""
    for path in SOURCES:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                yield from _results_of(function)


def _results_of(function):
    known = {
        node.targets[0].id: _keys(node.value, {})
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Dict)
        and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "CheckResult":
            code, *values = node.args
            codes = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
            for one in codes:
                yield one.value, _keys(values[0], known) if values else set()


def _keys(node, known):
    """Names of the values that a result gets; None: those of another result."""
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True))
        spread = [_keys(value, known) for key, value in pairs if key is None]
        return {key.value for key in node.keys if key is not None}.union(*spread)
    return known[node.id] if isinstance(node, ast.Name) else None


RESULTS = sorted(_results(), key=lambda result: result[0])


def test_every_outcome_is_shipped_and_found_by_the_code():
    assert {code for code, _values in RESULTS} | OF_ROWS == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_value_of_a_text_is_given(name):
    outcome = OUTCOMES[name]
    texts = (outcome["found"], outcome["advice"], outcome["fix_label"])
    used = {found for text in texts for found in PLACEHOLDER.findall(text)}
    assert not any("%" in PLACEHOLDER.sub("", text) for text in texts)
    given = [keys for code, keys in RESULTS if code == name and keys is not None]
    assert all(used <= keys for keys in given)
    assert given or not used or name in ("blocked", "webhook_unreached")


def _methods():
    return {
        node.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_outcome_is_complete(name):
    outcome = OUTCOMES[name]
    assert outcome["id"] == f"outcome_{name}"
    assert outcome["state"] in (*setup.STATES, "unknown")
    assert outcome["found"] or name == "untested"
    assert not outcome["kind"] or f"_check_{outcome['kind']}" in _methods()
    assert bool(outcome["fix"]) == bool(outcome["fix_label"])
    assert outcome["fix"] or outcome["asks"] == "0"
    if outcome["state"] == "bad" and name not in ("refused", "token_neutralized"):
        assert outcome["advice"] or outcome["fix"], "who reads it must know what to do"


def test_every_fix_belongs_to_an_outcome():
    used = {outcome["fix"] for outcome in OUTCOMES.values()} - {""}
    assert {f"_fix_{fix}" for fix in used} == {
        name for name in _methods() if name.startswith("_fix_")
    }


def test_a_check_stands_after_what_it_needs():
    order = list(CHECKS)
    for kind, check in CHECKS.items():
        assert all(order.index(need) < order.index(kind) for need in check.needs)


def test_every_check_that_is_made_again_exists():
    for check in CHECKS.values():
        assert set(check.recheck) <= set(CHECKS)


WEBHOOK = Subscription(setup.OBJECT, URL, True, setup.FIELDS)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({}, "webhook_ok"),
        ({"siblings": {URL: "Other"}, "mine": "https://x.com/"}, "webhook_sibling"),
        ({"mine": "https://x.com/"}, "webhook_other"),
        ({"override": "https://x.com/"}, "webhook_other"),
        ({"override": URL}, "webhook_override"),
        ({"seen": False}, "webhook_unverified"),
    ],
)
def test_whether_meta_delivers_to_us(given, outcome):
    given = {"mine": URL, **given}
    result = setup.check_webhook(WEBHOOK, "Shop (1)", **given)
    assert result.outcome == outcome
    text = OUTCOMES[outcome]["found"]
    assert set(PLACEHOLDER.findall(text)) <= set(result.values)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.0.2",
        "169.254.1.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "localhost",
        "odoo",
        "odoo.lan",
        "erp.company.local",
        "",
    ],
)
def test_no_private_host_counts_as_public(host):
    assert not probe.is_public(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://[::1/",
        "https://odoo.company.com:99999/",
        "https:///gateway",
        "",
        "odoo.company.com",
    ],
)
def test_nonsense_is_no_address(url):
    assert OUTCOMES[probe.check_address(url).outcome]["state"] == "bad"


@pytest.mark.parametrize(
    ("active", "fields", "seen", "outcome"),
    [
        (False, setup.FIELDS, True, "webhook_off_there"),
        (True, ("security",), True, "webhook_deaf_there"),
        (True, ("messages",), True, "webhook_fields_there"),
        (True, setup.FIELDS, False, "webhook_waits"),
        (True, setup.FIELDS, True, "webhook_override"),
    ],
)
def test_an_app_that_serves_others_is_left_alone(active, fields, seen, outcome):
    """The account's own address is ours; a change here would take the app's away."""
    theirs = Subscription(setup.OBJECT, "https://x.com/", active, fields)
    result = setup.check_webhook(theirs, "Shop", URL, override=URL, seen=seen)
    assert result.outcome == outcome
    assert not OUTCOMES[outcome]["fix"]


class Cut:
    """A connection that breaks, with the whole address in the error's text."""

    def request(self, method, url, **kwargs):
        address = requests.Request(method, url, params=kwargs.get("params")).prepare()
        raise requests.ConnectionError(f"broken: {address.url}")


def test_the_token_that_is_asked_about_stands_in_no_traceback():
    api = CloudApi(TOKEN, session=Cut())
    with pytest.raises(CloudApiError) as caught:
        api.token_info()
    assert caught.value.kind == "transient"
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_the_token_that_is_asked_about_stands_in_no_log(caplog):
    with caplog.at_level(logging.DEBUG, logger="urllib3.connectionpool"):
        logging.getLogger("urllib3.connectionpool").debug(
            '"GET %s HTTP/1.1" %s', f"/v23.0/debug_token?input_token={TOKEN}", 200
        )
    assert "debug_token" in caplog.text
    assert TOKEN not in caplog.text


class Answers:
    """Meta, with one answer for everything."""

    def __init__(self, body, status=200):
        self.body, self.status, self.calls = body, status, []

    def request(self, method, url, **kwargs):
        prepared = requests.Request(method, url, auth=kwargs["auth"]).prepare()
        self.calls.append((method, url, kwargs, prepared.headers["Authorization"]))
        response = requests.Response()
        response.status_code = self.status
        response._content = self.body.encode()
        return response


def test_an_app_speaks_with_its_own_secret():
    meta = Answers('{"data": [{"object": "page", "fields": null}]}')
    api = CloudApi(TOKEN, session=meta).patient((1, 2))
    [subscription] = api.as_app("7", "5ecret").subscriptions("7")
    assert subscription == Subscription("page", None, False, ())
    _method, _url, kwargs, bearer = meta.calls[0]
    assert bearer == "Bearer 7|5ecret"
    assert kwargs["timeout"] == (1, 2)
    assert api._token == TOKEN


def test_a_subscription_is_asked_for_in_the_body():
    meta = Answers('{"success": true}')
    CloudApi("7|5ecret", session=meta).subscribe("7", "page", URL, "v", ["a", "b"])
    [(method, url, kwargs, _bearer)] = meta.calls
    assert (method, url) == ("POST", "https://graph.facebook.com/v23.0/7/subscriptions")
    assert kwargs["data"]["fields"] == "a,b"
    assert kwargs["data"]["verify_token"] == "v"
    assert "params" not in kwargs


@pytest.mark.parametrize("body", ["{}", '{"data": null}', '{"data": 7}', "<html>"])
def test_a_strange_answer_about_a_token_is_no_result(body):
    with pytest.raises(CloudApiError) as caught:
        CloudApi(TOKEN, session=Answers(body)).token_info()
    assert caught.value.kind == "transient"
