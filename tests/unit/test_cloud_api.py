# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The client against a real HTTP server on loopback that answers as told."""

import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
import requests
from tools.cloud_api import CloudApi, MediaGone, MediaTooLarge, Sent
from tools.errors import CloudApiError
from tools.identity import Identity
from tools.masking import without_secrets
from tools.payloads import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    MB,
    MEDIA_LIMITS,
    NotSendable,
    body_component,
    check_media,
    media_payload,
    template_payload,
    text_payload,
)

TOKEN = "EAAGsecret-token"
NUMBER = "106540352242922"
ANA = Identity(phone="5215512345678", bsuid="MX.1349")
HIDDEN = Identity(bsuid="MX.1349")
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+5215512345678", "wa_id": "5215512345678"}],
    "messages": [{"id": "wamid.1", "message_status": "accepted"}],
}
CUT, SILENT = "cut the connection", "never answer"


class Meta(ThreadingHTTPServer):
    """Answers with what `answers` holds, in turn; keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.requests = [], []
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, status=200, body=None, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, raw, headers))

    def fail(self, how):
        self.answers.append(how)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self.server.requests.append((self.command, self.path, self.headers, body))
        answer = self.server.answers.pop(0)
        if answer == SILENT:
            self.server.released.wait(5)
        if answer in (CUT, SILENT):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, raw, headers = answer
        self.send_response(status)
        headers = {"Content_Length": str(len(raw)), **headers}
        for key, value in headers.items():
            if value is not None:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_DELETE = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def meta():
    server = Meta()
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(meta):
    return CloudApi(TOKEN, version="v23.0", base_url=meta.url, timeout=(2, 0.3))


def failure(call, *args, **kwargs):
    with pytest.raises(CloudApiError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_send_says_who_and_what(meta, api):
    meta.say(200, ACCEPTED)
    payload = text_payload(ANA, "Hi", callback_data="u1")
    sent = api.send(NUMBER, payload)
    assert sent == Sent("wamid.1", "5215512345678", None, "accepted")
    [(method, path, headers, body)] = meta.requests
    assert (method, path) == ("POST", f"/v23.0/{NUMBER}/messages")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(body) == payload


def test_send_to_a_user_id(meta, api):
    meta.say(200, {"contacts": [{"user_id": "MX.1349"}], "messages": [{"id": "w"}]})
    assert api.send(NUMBER, text_payload(HIDDEN, "Hi")).user_id == "MX.1349"
    assert json.loads(meta.requests[0][3])["recipient"] == "MX.1349"


def test_netrc_does_not_replace_the_token(meta, api, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ana password pw\n")
    monkeypatch.setenv("NETRC", str(netrc))
    meta.say(200, ACCEPTED)
    api.send(NUMBER, {})
    assert meta.requests[0][2]["Authorization"] == f"Bearer {TOKEN}"


def test_refusal_keeps_what_meta_says(meta, api):
    meta.say(400, {"error": {"code": 131047, "fbtrace_id": "Ab", "message": "Late"}})
    error = failure(api.send, NUMBER, {})
    assert (error.kind, error.code, error.fbtrace_id) == ("permanent", 131047, "Ab")
    assert error.status == 400


def test_throttling_keeps_the_waiting_time(meta, api):
    meta.say(429, {"error": {"code": 130429}}, Retry_After="17")
    error = failure(api.send, NUMBER, {})
    assert (error.kind, error.retry_after) == ("throttled", 17)


@pytest.mark.parametrize("how", [CUT, SILENT])
def test_lost_answer_is_uncertain(meta, api, how):
    meta.fail(how)
    error = failure(api.send, NUMBER, {"x": 1})
    assert error.kind == "uncertain" and error.__cause__ is not None
    assert len(meta.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", "uncertain"),
        (200, b"<html>", "uncertain"),
        (200, [], "uncertain"),
        (200, {}, "uncertain"),
        (200, {"messages": []}, "uncertain"),
        (200, {"messages": [{"id": None}]}, "uncertain"),
        (200, {"messages": "x", "contacts": 5}, "uncertain"),
        (200, {"error": {"code": 190}}, "auth"),
        (504, b"<html>", "uncertain"),
        (503, b"<html>", "transient"),
        (401, b"", "auth"),
    ],
)
def test_odd_answers_to_a_send(meta, api, status, body, kind):
    meta.say(status, body)
    assert failure(api.send, NUMBER, {}).kind == kind


def test_truncated_answer_is_uncertain(meta, api):
    meta.say(200, b'{"messages": [', Content_Length="500")
    assert failure(api.send, NUMBER, {}).kind == "uncertain"


def test_answer_with_broken_headers_is_uncertain(meta, api):
    meta.say(200, ACCEPTED, Content_length="1")  # a second, contradicting one
    assert failure(api.send, NUMBER, {}).kind == "uncertain"


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_nothing_left_when_nobody_listens():
    api = CloudApi(TOKEN, base_url=f"http://127.0.0.1:{closed_port()}")
    error = failure(api.send, NUMBER, {})
    assert (error.kind, error.status) == ("transient", None)


def test_nothing_left_when_the_name_is_unknown():
    api = CloudApi(TOKEN, base_url="https://graph.invalid")
    assert failure(api.send, NUMBER, {}).kind == "transient"


def test_nothing_left_when_the_proxy_is_away():
    proxies = {"https": f"http://127.0.0.1:{closed_port()}"}
    api = CloudApi(TOKEN, base_url="https://graph.example", proxies=proxies)
    assert failure(api.send, NUMBER, {}).kind == "transient"


class FailingSession(requests.Session):
    def __init__(self, error):
        super().__init__()
        self._error = error

    def request(self, *args, **kwargs):
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectTimeout("connect"), "transient"),
        (requests.ReadTimeout("read"), "uncertain"),
        (requests.ConnectionError("no cause"), "uncertain"),
        (requests.exceptions.SSLError("handshake or later"), "uncertain"),
        (requests.exceptions.ChunkedEncodingError("cut"), "uncertain"),
        (requests.exceptions.InvalidURL("bad"), "permanent"),
        (requests.exceptions.InvalidJSONError("nan"), "permanent"),
    ],
)
def test_failures_without_answer(error, kind):
    api = CloudApi(TOKEN, session=FailingSession(error))
    assert failure(api.send, NUMBER, {}).kind == kind
    upload = failure(api.upload, NUMBER, "a.pdf", b"x", "application/pdf")
    assert upload.kind == ("transient" if kind == "uncertain" else kind)


@pytest.mark.parametrize("token", [None, "", "a b", "a\nb", "tóken", 5])
def test_malformed_token_stops_the_number_and_is_not_shown(meta, token):
    api = CloudApi(token, base_url=meta.url)
    error = failure(api.send, NUMBER, {})
    assert error.kind == "auth" and meta.requests == []
    assert not token or str(token) not in str(error)


def test_neither_token_nor_text_is_logged_or_raised(meta, api, caplog):
    caplog.set_level(logging.DEBUG)
    meta.say(200, ACCEPTED)
    api.send(NUMBER, text_payload(ANA, "very private"))
    meta.fail(CUT)
    error = failure(api.send, NUMBER, text_payload(ANA, "very private"))
    said = caplog.text + repr(error) + str(error) + repr(error.__cause__) + repr(api)
    assert NUMBER in caplog.text
    assert TOKEN not in said and "very private" not in said


@pytest.mark.parametrize("status", [200, 400, 500])
def test_what_meta_repeats_of_secrets_is_masked(meta, status):
    token, app, key = "a|b/c+d=é".encode().hex(), "0ff" * 10 + "/|", "key %1"
    api = CloudApi(token, base_url=meta.url, secrets=[app, None, key])
    said = f"{token} {quote(app)} {quote_plus(key)} {quote(quote(app, safe=''))}"
    error = {
        "code": 131000,
        "message": f"no {said}",
        "error_data": {"details": f"x?access_token=zz&y={app} {said}"},
        "fbtrace_id": token,
    }
    meta.say(status, {"error": error})
    refused = failure(api.send, NUMBER, {})
    assert refused.title == "no *** *** *** ***"
    assert refused.details == "x?access_token=***&y=*** *** *** *** ***"
    assert refused.fbtrace_id == "***"


def test_the_app_secret_and_the_verify_token_are_masked(meta, api):
    meta.say(
        400, {"error": {"code": 100, "message": "no s3cr3t%7C, 1|s3cr3t|, verify"}}
    )
    client = api.as_app("1", "s3cr3t|")
    refused = failure(client.subscribe, "1", "x", "https://a", "verify", ["messages"])
    assert refused.title == "no ***, ***, ***"


def test_an_address_in_an_exception_is_masked(caplog):
    text = f"Max retries exceeded with url: /debug_token?input_token={quote(TOKEN)}"
    api = CloudApi(TOKEN, session=FailingSession(requests.ConnectionError(text)))
    error = failure(api.token_info)
    logging.getLogger("any").error("failed", exc_info=error)
    assert "ConnectionError" in caplog.text and "debug_token" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "%2Fgateway%2Fx%2F" * 4000,
        "/gateway/x/" * 6000,
        "access_token=%41" * 4000,
        "EA" * 32000,
        "hub.verify_token=" * 4000,
    ],
)
def test_long_texts_of_strangers_are_minvited_no_time(text):
    start = time.perf_counter()
    without_secrets(text, TOKEN, "a" * 200)
    assert time.perf_counter() - start < 2


def test_redirect_is_not_followed(meta, api):
    meta.say(302, b"", Location=f"{meta.url}/elsewhere")
    assert failure(api.send, NUMBER, {}).kind == "permanent"
    assert len(meta.requests) == 1


@pytest.mark.parametrize("version", [None, "", "23", "v", "23.0/../x", "latest"])
def test_version_must_be_one(version):
    with pytest.raises(ValueError, match="23.0"):
        CloudApi(TOKEN, version=version)


@pytest.mark.parametrize(
    "url", ["", None, "graph.facebook.com", "ftp://x", "http://a@b"]
)
def test_address_must_be_one(url):
    with pytest.raises(ValueError, match="address"):
        CloudApi(TOKEN, base_url=url)


def test_ids_cannot_leave_their_place_in_the_path(meta, api):
    meta.say(200, ACCEPTED)
    api.send("../1/x?y", {})
    assert meta.requests[0][1] == "/v23.0/..%2F1%2Fx%3Fy/messages"


# -- files


def test_upload(meta, api):
    meta.say(200, {"id": "777"})
    media_id = api.upload(NUMBER, 'Año "x".pdf', b"%PDF", "application/pdf; a=b")
    assert media_id == "777"
    _method, path, headers, body = meta.requests[0]
    assert path == f"/v23.0/{NUMBER}/media"
    assert headers["Content-Type"].startswith("multipart/form-data")
    assert b'filename="Ano _x_.pdf"' in body and b"%PDF" in body
    assert b'name="messaging_product"\r\n\r\nwhatsapp' in body
    assert b'name="type"\r\n\r\napplication/pdf' in body


def test_upload_is_never_uncertain(meta, api):
    for answer in (CUT, SILENT):
        meta.fail(answer)
        assert failure(api.upload, NUMBER, "a", b"x", "image/png").kind == "transient"
    meta.say(200, {})
    assert failure(api.upload, NUMBER, "a", b"x", "image/png").kind == "transient"
    meta.say(400, {"error": {"code": 131053}})
    assert failure(api.upload, NUMBER, "a", b"x", "image/png").kind == "permanent"


def test_media_info(meta, api):
    answer = {
        "url": "https://x.fbsbx.com/1",
        "file_size": "12",
        "mime_type": "image/png",
    }
    meta.say(200, {**answer, "id": "9", "sha256": "ab"})
    info = api.media_info("9", NUMBER)
    assert (info.url, info.file_size) == (answer["url"], 12)
    assert meta.requests[0][1] == f"/v23.0/9?phone_number_id={NUMBER}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": {"code": 999}}),
        (400, {"error": {"code": 100, "error_subcode": 33}}),
        (410, b""),
    ],
)
def test_media_that_meta_does_not_have_is_asked_for_again(meta, api, status, body):
    meta.say(status, body)
    error = failure(api.media_info, "9")
    assert isinstance(error, MediaGone) and error.kind == "transient"
    assert error.entries == ("file_waits",), "the words of a file, not of a number"


@pytest.mark.parametrize(
    "error",
    [
        {"code": 100, "error_subcode": 33, "message": "The media has expired."},
        {"code": 131000, "message": "Expired", "error_data": {"details": "x"}},
        {"code": 999, "error_data": {"details": "Media file expired"}},
    ],
)
def test_media_that_has_expired_is_gone_for_ever(meta, api, error):
    meta.say(404, {"error": error})
    error = failure(api.media_info, "9")
    assert isinstance(error, MediaGone) and error.kind == "permanent"
    assert error.entries == ("file_expired",)


def test_media_info_with_a_dead_token_is_not_gone(meta, api):
    meta.say(401, {"error": {"code": 190}})
    error = failure(api.media_info, "9")
    assert error.kind == "auth" and not isinstance(error, MediaGone)


def test_download_carries_the_token(meta, api):
    meta.say(200, b"\x89PNG", Content_Type="image/png")
    assert api.download(meta.url + "/file?mid=9&ext=1", 100) == b"\x89PNG"
    assert meta.requests[0][2]["Authorization"] == f"Bearer {TOKEN}"


def test_download_up_to_the_limit(meta, api):
    meta.say(200, b"x" * 100)
    assert len(api.download(meta.url + "/f", 100)) == 100
    for stated in ("101", None):
        meta.say(200, b"x" * 101, Content_Length=stated)
        assert isinstance(failure(api.download, meta.url + "/f", 100), MediaTooLarge)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 418])
def test_an_address_that_has_expired_says_nothing_of_its_file(meta, api, status):
    meta.say(status, b"URL signature expired")
    error = failure(api.download, meta.url + "/f", 100)
    assert isinstance(error, MediaGone) and error.kind == "transient"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (CUT, "transient"),
        (SILENT, "transient"),
        ((500, b"", {}), "transient"),
        ((504, b"", {}), "transient"),
        ((401, b"", {}), "auth"),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), "permanent"),
        ((200, b"short", {"Content_Length": "50"}), "transient"),
    ],
)
def test_failed_downloads(meta, api, answer, kind):
    meta.answers.append(answer)
    error = failure(api.download, meta.url + "/f", 100)
    assert error.kind == kind and not isinstance(error, MediaGone)
    assert len(meta.requests) == 1


def test_endless_trickle_is_given_up(meta, api, monkeypatch):
    monkeypatch.setattr("tools.cloud_api.DOWNLOAD_SECONDS", -1)
    meta.say(200, b"x")
    assert failure(api.download, meta.url + "/f", 100).kind == "transient"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_drip_is_given_up_by_its_rate(monkeypatch, chunked):
    monkeypatch.setattr("tools.cloud_api.PATIENCE", 0.3)
    with dripping(b"x", pause=0.05, chunked=chunked) as url:
        api = CloudApi(TOKEN, base_url=url)
        begin = time.monotonic()
        assert failure(api.download, url + "/f", 10**6).kind == "transient"
        assert time.monotonic() - begin < 3


@contextmanager
def dripping(piece, pause, chunked):
    """A server that says it has much, and sends a little at a time."""

    class Drip(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", "100000")
            self.end_headers()
            with suppress(OSError):
                for _time in range(200):
                    frame = b"%x\r\n%s\r\n" % (len(piece), piece)
                    self.wfile.write(frame if chunked else piece)
                    self.wfile.flush()
                    time.sleep(pause)

        def log_message(self, *args):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_packed_files_are_unpacked_up_to_the_limit(meta, api):
    for pack in (gzip.compress, zlib.compress):
        meta.say(200, pack(b"x" * 100), Content_Encoding="gzip")
        assert api.download(meta.url + "/f", 100) == b"x" * 100
        meta.say(200, pack(b"x" * 10**8), Content_Encoding="gzip")
        tracemalloc.start()
        assert isinstance(failure(api.download, meta.url + "/f", 100), MediaTooLarge)
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
        tracemalloc.stop()
    meta.say(200, b"no gzip", Content_Encoding="gzip")
    assert failure(api.download, meta.url + "/f", 100).kind == "transient"
    meta.say(200, b"x", Content_Encoding="br")
    assert failure(api.download, meta.url + "/f", 100).kind == "permanent"


FOREIGN = [
    "https://evil.example/f",
    "https://fbsbx.com.evil.example/f",
    "https://evilfbsbx.com/f",
    "https://fbsbx.com/f",
    "http://lookaside.fbsbx.com/f",
    "https://lookaside.fbsbx.com:8443/f",
    "https://lookaside.fbsbx.com@evil.example/f",
    "https://evil.example\\@lookaside.fbsbx.com/f",
    "https://evil.example#@lookaside.fbsbx.com/f",
    "https://evil.example?.fbsbx.com/f",
    "https://lookaside.fbsbx.com./f",
    "https://lookaside.fbsbx.com:99999/f",
    "https://lookaside.fbsbx.com/f g",
    "https://lookaside.fbsbx.com/f\n",
    "https://169.254.169.254/latest",
    "file:///etc/passwd",
    "//lookaside.fbsbx.com/f",
    "",
    None,
    7,
]


@pytest.mark.parametrize("url", FOREIGN)
def test_the_token_goes_to_no_foreign_host(url):
    api = CloudApi(TOKEN, session=FailingSession(AssertionError("asked")))
    assert failure(api.download, url, 100).kind == "permanent"


@pytest.mark.parametrize("port_step", [0, 1])
def test_own_server_means_scheme_host_and_port(meta, api, port_step):
    if port_step:
        url = f"http://127.0.0.1:{meta.server_port - 1}/f"
        assert failure(api.download, url, 100).kind == "permanent"
        url = f"https://127.0.0.1:{meta.server_port}/f"
        assert failure(api.download, url, 100).kind == "permanent"
    else:
        meta.say(200, b"ok")
        assert api.download(meta.url.replace("http", "HTTP") + "/f", 100) == b"ok"


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=A_t-v",
        "https://media.whatsapp.net/x",
        "https://Graph.Facebook.com:443/x",
    ],
)
def test_hosts_of_meta_are_asked(url):
    api = CloudApi(TOKEN, session=FailingSession(requests.ReadTimeout()))
    assert failure(api.download, url, 100).kind == "transient"


# -- management


def test_mark_read(meta, api):
    meta.say(200, {"success": True})
    api.mark_read(NUMBER, "wamid.9", typing=True)
    assert json.loads(meta.requests[0][3]) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.9",
        "typing_indicator": {"type": "text"},
    }


def test_phone_number_asks_for_the_fields(meta, api):
    meta.say(200, {"id": NUMBER, "quality_rating": "GREEN"})
    assert api.phone_number(NUMBER, ["quality_rating"])["quality_rating"] == "GREEN"
    assert meta.requests[0][1] == f"/v23.0/{NUMBER}?fields=quality_rating"


def page(first, count, after):
    paging = {"cursors": {"after": after or "end"}}
    if after:
        paging["next"] = "https://graph.facebook.com/x?access_token=secret"
    return {"data": [{"name": f"t{n}"} for n in range(first, first + count)]} | {
        "paging": paging
    }


def test_templates_of_all_pages(meta, api):
    meta.say(200, page(0, 25, "a"))
    meta.say(200, page(25, 25, "b"))
    meta.say(200, page(50, 10, None))
    names = [template["name"] for template in api.templates("4711", limit=25)]
    assert names == [f"t{n}" for n in range(60)]
    queries = [parse_qs(urlsplit(request[1]).query) for request in meta.requests]
    assert [query.get("after") for query in queries] == [None, ["a"], ["b"]]
    assert all("parameter_format" in query["fields"][0] for query in queries)


def test_pages_that_turn_in_circles_end(meta, api):
    meta.say(200, page(0, 1, "a"))
    meta.say(200, page(1, 1, "a"))
    assert len(list(api.templates("4711"))) == 2


def test_failure_on_a_later_page_is_not_taken_for_the_end(meta, api):
    meta.say(200, page(0, 25, "a"))
    meta.say(500, {"error": {"code": 131000}})
    assert failure(list, api.templates("4711")).kind == "transient"


def test_subscribed_apps(meta, api):
    meta.say(200, {"data": []})
    assert api.subscribed_apps("4711") == []
    assert meta.requests[0][1].startswith("/v23.0/4711/subscribed_apps")


# -- what to send


def test_payloads_name_the_addressee_as_meta_gave_it():
    common = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    for payload in (
        text_payload(ANA, "Hi"),
        media_payload(ANA, "image", "9"),
        template_payload(ANA, "hello", "es"),
    ):
        assert payload.items() >= {**common, "to": "+5215512345678"}.items()
        assert "recipient" not in payload and "context" not in payload
    assert "to" not in text_payload(HIDDEN, "Hi")


def test_reply_and_callback_data():
    payload = media_payload(ANA, "image", "9", reply_to="wamid.1", callback_data="u")
    assert payload["context"] == {"message_id": "wamid.1"}
    assert payload["biz_opaque_callback_data"] == "u"
    with pytest.raises(ValueError, match="512"):
        text_payload(ANA, "Hi", callback_data="x" * 513)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", {"id": "9", "caption": "c"}),
        ("video", {"id": "9", "caption": "c"}),
        ("document", {"id": "9", "caption": "c", "filename": "f.pdf"}),
        ("audio", {"id": "9", "voice": True}),
        ("sticker", {"id": "9"}),
    ],
)
def test_media_payload_leaves_out_what_the_kind_does_not_know(kind, content):
    payload = media_payload(ANA, kind, "9", caption="c", filename="f.pdf", voice=True)
    assert payload["type"] == kind and payload[kind] == content


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: text_payload(ANA, ""), "empty_text"),
        (lambda: text_payload(ANA, " \n"), "empty_text"),
        (lambda: text_payload(ANA, "x" * (LONGEST_TEXT + 1)), "text"),
        (lambda: media_payload(ANA, "image", "9", "x" * (LONGEST_CAPTION + 1)), "text"),
        (lambda: body_component([None]), "value"),
        (lambda: body_component({"name": " "}), "value"),
        (lambda: check_media("text/html", 10), "type"),
        (lambda: check_media(None, 10), "type"),
        (lambda: check_media("image/jpeg", 0), "empty_file"),
        (lambda: check_media("image/jpeg", 5 * MB + 1), "size"),
    ],
)
def test_what_whatsapp_would_refuse_is_said_at_once(call, reason):
    with pytest.raises(NotSendable) as refusal:
        call()
    assert refusal.value.reason == reason
    assert str(refusal.value) == refusal.value.source % refusal.value.values


def test_refused_value_is_named():
    with pytest.raises(NotSendable, match="customer_name"):
        body_component({"greeting": "Hola", "customer_name": False})
    with pytest.raises(NotSendable, match="variable 2"):
        body_component(["Hola", ""])


def test_longest_texts_are_accepted():
    assert text_payload(ANA, "x" * LONGEST_TEXT)
    assert media_payload(ANA, "image", "9", "x" * LONGEST_CAPTION)


@pytest.mark.parametrize("mime_type", sorted(MEDIA_LIMITS))
def test_media_up_to_their_limit(mime_type):
    kind, most = MEDIA_LIMITS[mime_type]
    assert check_media(mime_type.upper() + "; a=b", most) == kind
    with pytest.raises(NotSendable, match="accepts"):
        check_media(mime_type, most + 1)


def test_template_values_carry_no_breaks():
    values = ["Ana\tRuiz", "a\nb", "a    b", 5, 0]
    texts = [p["text"] for p in body_component(values)["parameters"]]
    assert texts == ["Ana Ruiz", "a b", "a b", "5", "0"]


def test_time_out_is_bounded(meta, api):
    meta.fail(SILENT)
    before = time.monotonic()
    assert failure(api.send, NUMBER, {}).kind == "uncertain"
    assert time.monotonic() - before < 4


# -- templates that are made here


def test_a_template_is_changed_and_deleted_as_meta_documents_it(meta, api):
    meta.say(200, {"success": True})
    api.edit_template("77", {"components": []})
    meta.say(200, {"success": True})
    api.delete_template("20001", "77", "hola")
    changed, deleted = meta.requests
    assert changed[:2] == ("POST", "/v23.0/77")
    assert json.loads(changed[3]) == {"components": []}
    assert deleted[0] == "DELETE"
    path = urlsplit(deleted[1])
    assert path.path == "/v23.0/20001/message_templates"
    assert parse_qs(path.query) == {"hsm_id": ["77"], "name": ["hola"]}


def test_a_template_is_found_by_its_whole_name_and_language(meta, api):
    rows = [
        {"name": "hola_2", "language": "es", "id": "1"},
        {"name": "hola", "language": "en", "id": "2"},
        {"name": "hola", "language": "es", "id": "3"},
    ]
    meta.say(200, {"data": rows})
    assert api.find_template("20001", "hola", "es")["id"] == "3"
    assert parse_qs(urlsplit(meta.requests[0][1]).query)["name"] == ["hola"]
    meta.say(200, {"data": rows[:2]})
    assert api.find_template("20001", "hola", "es") is None


def test_a_sample_goes_through_the_resumable_upload(meta, api):
    meta.say(200, {"id": "upload:MTp=?sig=AR_x"})
    meta.fail(CUT)
    meta.say(200, {"id": "upload:MTp=?sig=AR_x", "file_offset": 4})
    meta.say(200, {"h": "4::aW"})
    assert api.upload_sample("30001", "Cotización.pdf", b"%PDF-1.7", "application/pdf")
    begin, cut, asked, rest = meta.requests
    assert urlsplit(begin[1]).path == "/v23.0/30001/uploads"
    assert parse_qs(urlsplit(begin[1]).query) == {
        "file_name": ["Cotizacion.pdf"],
        "file_length": ["8"],
        "file_type": ["application/pdf"],
    }
    # the session keeps its signature, and the scheme is Meta's for uploads
    assert cut[1] == asked[1] == rest[1] == "/v23.0/upload:MTp=?sig=AR_x"
    assert (cut[2]["file_offset"], cut[3]) == ("0", b"%PDF-1.7")
    assert (rest[2]["file_offset"], rest[3]) == ("4", b"-1.7")
    assert rest[2]["Authorization"] == f"OAuth {TOKEN}"
    assert begin[2]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "answers",
    [
        [(200, {"id": "https://evil.example/"})],
        [(200, {"id": "upload:a/../../me"})],
        [(200, {"id": "upload:a"}), (200, {})],
        [(200, {"id": "upload:a"}), (400, {"error": {"code": 100}})],
        [
            (200, {"id": "upload:a"}),
            *2 * [(500, None), (200, {"file_offset": 0})],
            (500, None),
        ],
        [(200, {"id": "upload:a"}), (500, None), (500, None)],
    ],
)
def test_an_upload_that_fails_may_be_repeated(meta, api, answers):
    for status, body in answers:
        meta.say(status, body)
    with pytest.raises(CloudApiError) as caught:
        api.upload_sample("30001", "a.pdf", b"%PDF", "application/pdf")
    assert caught.value.kind != "uncertain"
    assert not meta.answers
