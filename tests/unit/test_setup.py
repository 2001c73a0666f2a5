# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is tested of a set-up, and that no token is ever told."""

import logging
import re
import traceback

import pytest
import requests
from tools import setup
from tools.cloud_api import CloudApi, Subscription
from tools.errors import CloudApiError

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TOKEN = "EAAsecretToken123"
URL = "https://odoo.company.com/gateway/whatsapp/key/update"


def test_a_check_stands_after_what_it_needs():
    order = list(setup.CHECKS)
    for kind, check in setup.CHECKS.items():
        assert all(order.index(need) < order.index(kind) for need in check.needs)


@pytest.mark.parametrize("name", setup.OUTCOMES)
def test_every_outcome_is_complete(name):
    outcome = setup.OUTCOMES[name]
    assert outcome.state in (*setup.STATES, "unknown")
    assert outcome.found or name == "untested"
    assert not outcome.mend or outcome.mend in setup.MENDS
    if outcome.state == "bad" and name not in ("refused", "token_neutralized"):
        assert outcome.advice or outcome.mend, "who reads it must know what to do"


def test_every_mend_belongs_to_an_outcome():
    used = {outcome.mend for outcome in setup.OUTCOMES.values()}
    assert set(setup.MENDS) == used - {""}


def test_every_touched_check_exists():
    for kinds in setup.TOUCHED.values():
        assert set(kinds) <= set(setup.CHECKS)


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
    verdict = setup.judge_webhook(WEBHOOK, "Shop (1)", **given)
    assert verdict.outcome == outcome
    words = setup.OUTCOMES[outcome].found
    assert set(PLACEHOLDER.findall(words)) <= set(verdict.values)


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
    assert not setup.is_public(host)


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
    assert setup.judge_address(url).state == "bad"


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
    verdict = setup.judge_webhook(theirs, "Shop", URL, override=URL, seen=seen)
    assert verdict.outcome == outcome
    assert not setup.OUTCOMES[outcome].mend


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
def test_a_strange_answer_about_a_token_is_no_verdict(body):
    with pytest.raises(CloudApiError) as caught:
        CloudApi(TOKEN, session=Answers(body)).token_info()
    assert caught.value.kind == "transient"
