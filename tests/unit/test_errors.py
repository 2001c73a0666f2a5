# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import csv
import json
import re

import pytest
from tools.errors import (
    CATALOGUE,
    FAMILIES,
    KINDS,
    CloudApiError,
    classify,
    from_webhook,
)

from devkit import paths
from devkit.simulator.errors import CODES

KIND_OF = {
    "auth": [0, 3, 10, 33, 190, 200, 299, 368, 131005, 131031, 131042, 131045, 133010],
    "transient": [1, 2, 131000, 131016, 131057, 133004],
    "throttled": [4, 80007, 130429, 131056, 132069],
    "permanent": [100, 130472, 131008, 131009, 131021, 131026, 131030, 131047, 131049]
    + [131050, 131051, 131053, 131062, 132000, 132001, 132012, 132015, 132018]
    + [131210, 138001, 139103, 2388019],
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind in KIND_OF for code in KIND_OF[kind]]
)
def test_code_decides_whatever_the_http_status(code, kind):
    for status in (400, 401, 403, 429, 500, 503):
        assert classify(status, {"error": {"code": code}}).kind == kind
    assert from_webhook([{"code": code}]).kind == kind


def test_the_dictionary_is_complete_and_consistent():
    with paths.find("data/whatsapp.error.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(CATALOGUE) > 90, "a code stands there once"
    for row in rows:
        assert row["id"] == "error_" + row["code"].replace("/", "_")
        assert row["kind"] in KINDS
        assert row["actor"] in ("nobody", "salesperson", "administrator")
        assert row["advice"].endswith(".") and "%" not in row["advice"]
        assert row["name"] and not row["name"].endswith(".")
        by_itself = row["kind"] in ("transient", "throttled")
        assert (row["actor"] == "nobody") == by_itself, row["code"]
        if row["kind"] == "auth":
            assert row["actor"] == "administrator"
    assert {row["kind"] for row in rows} == set(KINDS)
    assert set(FAMILIES.values()) <= set(CATALOGUE)
    wrong = {"a template in another language exists": 2388024}
    for code in set(CODES) - set(wrong.values()):
        assert str(code) in CATALOGUE, "Meta's simulator knows it"


def test_a_word_of_ours_is_used_and_known():
    source = "".join(
        path.read_text(encoding="utf-8")
        for name in paths.addons()
        for path in (paths.REPO / name).rglob("*.py")
        if "tests" not in path.relative_to(paths.REPO).parts
    )
    named = set(re.findall(r'reason="(\w+)"', source))
    named |= set(re.findall(r'reason = "(\w+)"', source))
    named |= set(re.findall(r'"(?:transient|permanent)", "(\w+)"\)\n', source))
    named -= set(KINDS)
    ours = {entry for entry in CATALOGUE if not entry.partition("/")[0].isdecimal()}
    assert named == ours


@pytest.mark.parametrize("entry", sorted(CATALOGUE))
def test_each_entry_is_found_by_its_code(entry):
    code, _slash, subcode = entry.partition("/")
    if not code.isdecimal():
        error = CloudApiError("permanent", reason=entry)
        assert error.entries == (entry,)
        return
    answer = {"error": {"code": int(code), "error_subcode": subcode or None}}
    error = classify(400, answer)
    assert error.kind == CATALOGUE[entry].kind
    assert error.advice == CATALOGUE[entry].advice
    assert error.entries[0] == error.reason == entry


def test_a_subcode_that_nobody_knows_does_not_matter():
    error = classify(401, {"error": {"code": 190, "error_subcode": 999}})
    assert (error.kind, error.reason) == ("auth", "190")
    assert error.entries == ("190/999", "190")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"code": 999999}}, "permanent"),
        (404, b"<html>", "permanent"),
        (401, b"", "auth"),
        (429, b"slow down", "throttled"),
        (429, {"error": {"code": 999999}}, "throttled"),
        (408, None, "transient"),
        (500, b"", "transient"),
        (503, b"\xff", "transient"),
        (503, {"error": {"code": 999999}}, "transient"),
        (502, b"<html>Bad gateway", "uncertain"),
        (504, None, "uncertain"),
        (504, {"error": {"code": 131016}}, "transient"),
        (400, {"error": {"code": 100, "error_subcode": 33}}, "auth"),
        (400, {"error": {"code": "131026"}}, "permanent"),
        (500, b"[" * 100_000, "transient"),
    ],
)
def test_without_a_known_code_the_http_status_decides(status, body, kind):
    error = classify(status, body)
    assert error.kind == kind and error.advice and str(error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (classify(500, {"error": {"code": 131000}}), "server"),
        (classify(503, b"busy"), "server"),
        (classify(503, {"error": {"code": 4}}), "server"),
        (classify(500, {"error": {"code": 131045}}), None),
        (classify(400, {"error": {"code": 131000}}), None),
        (classify(429, b""), None),
        (classify(502, b"<html>"), "cut"),
        (from_webhook([{"code": 131000}]), None),
        (
            CloudApiError("transient", details="ConnectTimeout", reason="busy"),
            "connection",
        ),
        (CloudApiError("transient", reason="busy"), None),
        (CloudApiError("uncertain", reason="crash"), None),
    ],
)
def test_a_fault_of_meta_is_told_from_an_answer(error, fault):
    assert error.fault == fault
    error.harmless = True
    assert error.fault == ("connection" if fault == "server" else fault)


def test_everything_meta_says_is_kept():
    body = {
        "error": {
            "message": "(#131047) Re-engagement message",
            "type": "OAuthException",
            "code": 131047,
            "error_subcode": 2494010,
            "error_data": {"messaging_product": "whatsapp", "details": "Too late."},
            "fbtrace_id": "AbC",
        }
    }
    error = classify(400, json.dumps(body).encode())
    assert (error.code, error.subcode, error.status) == (131047, 2494010, 400)
    assert (error.details, error.fbtrace_id) == ("Too late.", "AbC")
    assert str(error) == "[131047] (#131047) Re-engagement message: Too late."
    assert "template" in error.advice


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [
        (130429, {"Retry-After": "90"}, 90),
        (130429, {"retry-after": "soon"}, None),
        (130429, {"Retry-After": "-1"}, None),
        (130429, {"Retry-After": "99999999"}, 24 * 3600),
        (130429, None, None),
        (131056, {}, None),
        (131047, {"Retry-After": "90"}, None),
        (
            80007,
            {
                "X-Business-Use-Case-Usage": '{"1": [{"type": "messaging", '
                '"estimated_time_to_regain_access": 7}]}'
            },
            420,
        ),
        (80007, {"x-business-use-case-usage": "[]"}, None),
    ],
)
def test_waiting_time_that_meta_asks_for(code, headers, seconds):
    assert classify(400, {"error": {"code": code}}, headers).retry_after == seconds


def test_waiting_time_that_meta_documents():
    waits = {entry: known.wait_seconds for entry, known in CATALOGUE.items()}
    assert (waits["131056"], waits["131057"], waits["80007"]) == (6, 60, 900)
    assert all(
        CATALOGUE[entry].kind in ("transient", "throttled")
        for entry, seconds in waits.items()
        if seconds
    )


@pytest.mark.parametrize(
    "stated",
    [None, [], {}, "x", [None], [[]], [{}], [{"code": None}], [{"error_data": "x"}]]
    + [[{"code": True}], [{"error_data": {"details": 5}}]],
)
def test_failed_status_may_lack_every_part(stated):
    error = from_webhook(stated)
    assert isinstance(error, CloudApiError) and error.kind == "permanent"
    assert error.advice and str(error)


def test_failed_status_of_meta(payload):
    def errors_of(name):
        value = payload(name)["entry"][0]["changes"][0]["value"]
        return value["statuses"][0]["errors"]

    full = from_webhook(errors_of("status_failed"))
    assert str(full) == "[131026] Message undeliverable: Message Undeliverable."
    bare = from_webhook(errors_of("status_failed_without_details"))
    assert (str(bare), bare.kind) == ("[131000] Something went wrong", "transient")
