# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whatever strangers send is bounded before it is used."""

import json
import random
import re
import threading
import time
import tracemalloc
import zlib
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import urlencode

import requests
from markupsafe import Markup

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp.models import mail_gateway_whatsapp as oca
from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_sending import (
    WhatsappGatewaySending,
)
from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event import (
    FILES_AT_ONCE,
    MEDIA_BACKOFF,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools import limits, probe, webhook
from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import CloudApi
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import CloudApiError

from .common import HTTP, WhatsappCase

CONTROLLER = "odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook"
EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
MB = limits.MB
LONG = 65_535
SHAPES = (
    *(
        "*a *a ",
        '*a"',
        "_a _a ",
        "```a",
        "~",
        "*",
        "a",
        "<",
        "&",
        "<a ",
        "<!--",
        "(",
        "[",
    ),
    *(
        "http://a.b/c ",
        "http://",
        "\n",
        "a\n\n",
        " ",
        "\u0301",
        "\u202e",
        "\ufdfa",
        "😀",
    ),
)


class TestTexts(WhatsappCase):
    """Texts of 64 kB cost four times what those of 16 kB do, through all of Odoo."""

    def grows_with(self, seconds):
        """Judge CPU time; what is quick at its longest need not be compared."""
        long = seconds(LONG)
        if long >= 20:
            self.assertLess(long, 9 * seconds(LONG // 4))

    def test_long_texts_are_posted_in_time_that_grows_with_them(self):
        def seconds(size):
            for shape in SHAPES:
                text = (shape * size)[:size]
                raw = json.dumps(self.delivery(self.message(content=text)))
                self.assertEqual(self.post(raw.encode()).status_code, 200)
            begin = time.thread_time()
            self.drain()
            took = time.thread_time() - begin
            failed = self.events(kind="message").filtered(lambda e: e.state != "done")
            self.assertFalse(failed, failed.mapped("error"))
            return took

        channel = self.receive(self.message(content="Hi"))
        self.grows_with(seconds)
        self.assertEqual(len(channel.message_ids) % len(SHAPES), 1)
        self.assertGreater(len(channel.message_ids), len(SHAPES))

    def test_a_long_first_message_is_a_lead_in_time_that_grows_with_it(self):
        def seconds(size):
            begin = time.thread_time()
            for shape in SHAPES:
                person = {"from": f"52155{next(self.wamids):08}", "name": "Ana"}
                text = (shape * size)[:size]
                channel = self.receive(
                    self.message(content=text, person=person), person=person
                )
                self.assertTrue(channel.lead_id.description)
            return time.thread_time() - begin

        self.grows_with(seconds)

    def test_a_text_beyond_the_limit_is_shortened_and_says_so(self):
        channel = self.receive(self.message(content="x " * limits.limit("text")))
        [text] = self.texts(channel)
        self.assertIn(f"{2 * limits.limit('text')} characters", text)
        self.assertLess(len(text), limits.limit("text") + 200)

    def test_names_and_cards_are_bounded_wherever_they_are_kept(self):
        long = "name " * 500
        person = {"from": "5215512345678", "name": long}
        card = {"name": {"formatted_name": long}, "phones": [{"phone": long}] * 9}
        channel = self.receive(self.message("contacts", [card] * 90), person=person)
        self.assertLessEqual(len(channel.name), limits.limit("name"))
        self.assertLessEqual(len(channel.lead_id.name), limits.limit("name") + 20)
        message = channel.message_ids.filtered("whatsapp_cards")
        self.assertEqual(len(message.whatsapp_cards), limits.limit("lines"))
        self.assertLessEqual(len(message.body), 2 * limits.limit("text"))

    def test_normal_texts_look_as_with_the_base(self):
        service = self.env["mail.gateway.whatsapp"]
        pieces = [
            "*",
            "_",
            "~",
            "```",
            "a",
            "é1",
            " ",
            "\n",
            "\r\n",
            "<b>",
            "&",
            "'",
            '"',
        ]
        pieces += [
            "http://a.mx/x?a=1&b=_2_",
            "*hola*",
            " _que_ ",
            "~no~",
            "`",
            ".",
            "\t",
        ]
        chance, compared = random.Random(1), 0
        for _time in range(3000):
            text = "".join(chance.choices(pieces, k=chance.randint(1, 12)))
            expected = oca.MailGatewayWhatsappService._whatsapp_to_html(service, text)
            ours = service._whatsapp_to_html(text)
            self.assertIsInstance(ours, Markup)
            self.assertTrue(_nested(ours), (text, ours))
            if _nested(expected) and not self.prefers_longer(text):
                compared += 1
                self.assertEqual(ours, expected, text)
        self.assertGreater(compared, 1500)

    def prefers_longer(self, text):
        """The base takes `*a* *b*` for one pair, since one letter is not enough."""
        return any(
            re.search(rf"(?<!\w){re.escape(mark)}\S{re.escape(mark)}(?!\w)", text)
            for mark in oca.WHATSAPP_MARKERS
        )

    @mute_logger(EVENTS)
    def test_an_endless_emoji_holds_nobody_up(self):
        first = self.message(content="Hi")
        self.receive(first)
        odd = [
            self.message("reaction", {"message_id": first["id"], "emoji": emoji})
            for emoji in ("👍" * 5000, ["👍"], True, 7, {"a": 1}, "x" * LONG)
        ]
        channel = self.receive(*odd, self.message(content="Still here?"))
        states = set(self.events(kind="message").mapped("state"))
        self.assertEqual(states, {"done"})
        self.assertIn("Still here?", self.texts(channel)[-1])


def _nested(html):
    """Whether all elements end in the order in which they began."""
    inside = []
    for end, tag in re.findall(r"<(/?)(strong|em|s|code|p|a)\b[^>]*>", html):
        if not end:
            inside.append(tag)
        elif not inside or inside.pop() != tag:
            return False
    return not inside


class Files(BaseHTTPRequestHandler):
    """A server of files that answers as its path says."""

    def do_GET(self):
        if self.path.startswith("/v"):
            url = f"http://127.0.0.1:{self.server.server_port}{self.server.path}"
            self.say(f'{{"id": "m1", "url": "{url}"}}'.encode())
        elif self.path == "/huge":
            self.send_response(200)
            self.send_header("Content-Length", str(100 * MB))
            self.end_headers()
            for _piece in range(100):
                self.wfile.write(b"some words\n" * (MB // 11) + b"." * (MB % 11))
        elif self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()
        else:
            self.say(self.server.content)

    def say(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Quiet."""


@tagged(HTTP)
class TestFiles(WhatsappCase, HttpCase):
    """Files, fetched over HTTP from a server on this machine."""

    def setUp(self):
        super().setUp()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
        self.server.path, self.server.content = "/file", b""
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        url = f"http://127.0.0.1:{self.server.server_port}"
        real = requests.Session()
        self.patch(
            WhatsappGatewaySending,
            "_whatsapp_cloud_api",
            lambda gateway: CloudApi(
                "EAAtoken", base_url=url, session=real, timeout=10
            ),
        )

    def file(self, content=b"", path="/file", kind="document", **more):
        """Receive a file; return its message."""
        self.server.content, self.server.path = content, path
        wamid = f"wamid.file{next(self.wamids)}"
        part = {"id": "m1", **more}
        self.receive({**self.message(kind, part), "id": wamid})
        return self.env["mail.message"].search([("whatsapp_message_id", "=", wamid)])

    def test_what_a_browser_would_run_is_kept_and_served_as_text(self):
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
        page = b"<html><form action='https://evil.example'><script>alert(1)</script>"
        self.authenticate("admin", "admin")
        for content, kind, mime_type, name in (
            (page, "document", "text/html", "offer.html"),
            (page, "document", "TEXT/HTML; charset=utf-8", "offer"),
            (page, "document", "application/octet-stream", "offer.htm"),
            (page, "document", "application/pdf", "offer.pdf"),
            (page, "image", "image/jpeg", None),
            (b"\xef\xbb\xbf \n" + page, "image", "image/png", None),
            (page.decode().encode("utf-16"), "document", "text/plain", "a.txt"),
            (svg, "document", "image/svg+xml", "logo.svg"),
            (svg, "document", None, "logo.svg"),
            (b"<?xml version='1.0'?>", "document", "application/xhtml+xml", "a"),
            (b"<?xml version='1.0'?>", "document", "application/x-hta", "a.hta"),
            (b"<?xml-stylesheet href='x'?>", "document", "text/xsl", "a.xslt"),
            (page, "document", "text/html;charset=utf-7", "a.jpg"),
            (page, "document", "image/png", "a.png"),
            (b"plain", "document", "text/plain", "a.xhtml "),
            (b"alert(1)", "document", "text/javascript", "a.js"),
            (b"x", "document", "application/vnd.openxmlformats-a+xml", "a"),
        ):
            more = {"mime_type": mime_type, "filename": name}
            attachment = self.file(content, kind=kind, **more).attachment_ids
            self.assertEqual(attachment.mimetype, "text/plain", more)
            answer = self.url_open(f"/web/content/{attachment.id}")
            self.assertEqual(answer.content, content)
            self.assertIn("text/plain", answer.headers["Content-Type"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            other = self.url_open(f"/web/content/{attachment.id}?filename=a.html")
            self.assertIn("text/plain", other.headers["Content-Type"])

    def test_harmless_files_keep_their_type(self):
        for content, kind, mime_type in (
            (b"%PDF-1.7", "document", "application/pdf"),
            (_png(2, 2), "image", "image/png"),
            (b"OggS", "audio", "audio/ogg"),
            (b"a;b", "document", "text/csv"),
        ):
            attachment = self.file(content, kind=kind, mime_type=mime_type)
            self.assertEqual(attachment.attachment_ids.mimetype, mime_type)

    def test_a_picture_of_endless_pixels_is_kept_and_not_shown(self):
        message = self.file(_png(18_900, 18_900), kind="image", mime_type="image/png")
        attachment = message.attachment_ids
        self.assertEqual(attachment.mimetype, "binary/octet-stream")
        self.assertEqual(attachment.raw, _png(18_900, 18_900))
        self.authenticate("admin", "admin")
        self.assertEqual(
            self.url_open(f"/web/content/{attachment.id}").status_code, 200
        )

    def test_a_hundred_megabytes_are_held_once_and_not_indexed(self):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        message = self.file(path="/huge", mime_type="text/plain", filename="a.txt")
        _now, peak = tracemalloc.get_traced_memory()
        attachment = message.attachment_ids
        self.assertEqual(attachment.file_size, 100 * MB)
        self.assertLess(len(attachment.index_content or ""), 20)
        self.assertLess(peak, 130 * MB)

    def test_what_no_repetition_helps_is_said_at_once(self):
        for path in ("/redirect", "elsewhere"):
            message = self.file(path=path, mime_type="text/plain", filename="a.txt")
            self.assertIn("could not be received", message.body)
            self.assertFalse(message.attachment_ids)
        self.assertEqual(set(self.events(kind="media").mapped("state")), {"done"})

    @mute_logger(EVENTS)
    def test_what_fails_for_a_week_is_said_then(self):
        busy = CloudApiError("transient", status=503, reason="busy")
        with patch.object(CloudApi, "download", side_effect=busy):
            message = self.file(mime_type="text/plain", filename="a.txt")
            event = self.events(kind="media")
            for _time in MEDIA_BACKOFF:
                self.assertNotIn("could not be received", message.body)
                event.next_attempt_at = fields.Datetime.now() - timedelta(seconds=1)
                self.drain()
        self.assertEqual(event.state, "failed")
        self.assertIn("could not be received", message.body)

    def test_a_slow_file_keeps_no_other_waiting(self):
        events = type(self.events())
        due = [f"media:{number}" for number in range(3 * FILES_AT_ONCE)]
        done, slow = [], threading.Event()
        self.addCleanup(slow.set)

        def fetch(registry, person):
            if person == due[0]:
                slow.wait(60)
            done.append(person)
            if len(done) == len(due) - 1:
                slow.set()
            return True

        def due_persons(registry, others, media):
            return [one for one in due if one not in (*others, *done)]

        with (
            patch.object(compat, "is_real_cursor", lambda cr: True),
            patch.object(events, "_fetch", fetch),
            patch.object(events, "_due_persons", due_persons),
        ):
            self.assertFalse(
                events._drain_media(self.registry, time.monotonic() + 60, [])
            )
        self.assertEqual(sorted(done), sorted(due))
        self.assertEqual(done[-1], due[0])


def _png(width, height):
    """A picture that says it has so many pixels."""

    def chunk(kind, content):
        body = kind + content
        checksum = zlib.crc32(body).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + body + checksum

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    pixels = zlib.compress(b"\0" * min(width * height, MB))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + b"\x08\x02\0\0\0")
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


@tagged(HTTP)
class TestDoor(WhatsappCase, HttpCase):
    """What comes before a signature: bounded, not kept, and all answered alike."""

    over_http = True

    def get(self, path, **query):
        return self.url_open(f"/gateway/{path}/update?{urlencode(query)}")

    @mute_logger(CONTROLLER)
    def test_nobody_learns_whether_an_address_exists(self):
        body = self.delivery(self.message(content="Hi"))
        token = {"hub.mode": "subscribe", "hub.verify_token": "guess"}
        question = self.env["whatsapp.gateway.check"]._probe_question("webhook-key")
        answers = [
            self.get("whatsapp/nobody"),
            self.get("whatsapp/nobody", **token),
            self.get("whatsapp/webhook-key"),
            self.get("whatsapp/webhook-key", **token),
            self.get("whatsapp/webhook-key", **{"hub.verify_token": "verify me"}),
            self.get("whatsapp/webhook-key", **{"hub.mode": probe.PROBE}),
            self.get("whatsapp/nobody", **{"hub.mode": probe.PROBE}),
            self.get(
                "whatsapp/nobody",
                **{"hub.mode": probe.PROBE, "hub.verify_token": question},
            ),
            self.post(body, secret="wrong"),
            self.post(body, secret="wrong", key="nobody"),
            self.post(body, **{"X-Hub-Signature-256": ""}),
            self.post(b"{", key="nobody"),
        ]
        seen = {
            (one.status_code, one.text, one.headers["Content-Type"]) for one in answers
        }
        self.assertEqual(seen, {(403, "refused", "text/plain; charset=utf-8")})

    @mute_logger(CONTROLLER)
    def test_our_own_question_is_answered_for_a_minute_and_by_this_database(self):
        checks = self.env["whatsapp.gateway.check"]
        question = checks._probe_question("webhook-key")
        asked = {"hub.mode": probe.PROBE, "hub.verify_token": question}
        answer = self.get("whatsapp/webhook-key", **asked).text
        heard = checks._probe_proof(answer, "webhook-key", question)
        self.assertEqual(heard, probe.Proof(here=True, is_open=True))
        other = checks._probe_question("webhook-key")
        self.assertIsNone(checks._probe_proof(answer, "webhook-key", other))
        self.assertIsNone(checks._probe_proof("refused", "webhook-key", question))
        with patch.object(type(checks), "_probe_place", lambda self: "elsewhere"):
            heard = checks._probe_proof(answer, "webhook-key", question)
        self.assertEqual(heard, probe.Proof(here=False, is_open=True))
        later = fields.Datetime.now() + timedelta(seconds=61)
        with patch.object(fields.Datetime, "now", lambda: later):
            self.assertFalse(checks._is_probe_question("webhook-key", question))
        for odd in ("", ".", "..", "1.2.3", question + "0", "x" * 99, "é.ü.ß"):
            self.assertFalse(checks._is_probe_question("webhook-key", odd))

    @mute_logger(CONTROLLER)
    def test_odd_addresses_are_refused_like_every_other(self):
        for key in (
            "a%00b",
            "%00",
            "%0a",
            "%ff",
            "a%0d%0ab",
            "%27",
            "x" * 999,
        ):
            self.assertEqual(self.get(f"whatsapp/{key}").status_code, 403, key)
            body = self.delivery(self.message(content="Hi"))
            self.assertEqual(self.post(body, key=key).status_code, 403, key)
        self.assertFalse(self.events())

    def test_strangers_write_no_line_of_the_log(self):
        forged = "telegram", "a%0a2026-11-29 ERROR forged", "%0d%0aforged", "x"
        with self.assertNoLogs("odoo.addons.mail_gateway", "INFO"):
            for usage in forged:
                for key in ("x%0aforged", "%1b[2J", "a%00b", "webhook-key"):
                    answer = self.url_open(f"/gateway/{usage}/{key}/update", data="{}")
                    self.assertEqual((answer.status_code, answer.json()), (200, {}))
                    answer = self.get(f"{usage}/{key}")
                    self.assertEqual((answer.status_code, answer.json()), (200, {}))

    @mute_logger(CONTROLLER)
    def test_strangers_fill_no_cache(self):
        self.get("whatsapp/first")
        self.url_open("/gateway/first/first/update", data="{}")
        before = self.cached()
        for number in range(20):
            self.get(f"whatsapp/guess{number}")
            self.get(f"guess{number}/x")
            self.url_open(f"/gateway/guess{number}/x/update", data="{}")
            self.env["mail.gateway"]._get_gateway("x", gateway_type=f"guess{number}")
        self.assertEqual(self.cached() - before, set())

    def cached(self):
        caches = self.registry._Registry__caches.values()
        keys = {key for cache in caches for key in list(cache)}
        return {key for key in keys if key[0] == "mail.gateway"}

    @mute_logger(CONTROLLER)
    def test_endless_bodies_are_not_kept(self):
        def chunks(count):
            for _chunk in range(count):
                yield b"x" * MB

        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for usage, mime_type in (
            ("whatsapp", "application/json"),
            ("whatsapp", "application/x-www-form-urlencoded"),
            ("telegram", "application/json"),
        ):
            answer = self.url_open(
                f"/gateway/{usage}/webhook-key/update",
                data=chunks(40),
                headers={"Content-Type": mime_type},
                timeout=60,
            )
            self.assertEqual(answer.status_code, 413, mime_type)
        _now, peak = tracemalloc.get_traced_memory()
        self.assertLess(peak, 25 * MB)
        self.assertEqual(self.post(b"x" * (webhook.MAX_BYTES + 1)).status_code, 413)

    def test_a_delivery_in_chunks_is_taken(self):
        raw = json.dumps(self.delivery(self.message(content="Hi"))).encode()
        answer = self.url_open(
            "/gateway/whatsapp/webhook-key/update",
            data=iter([raw[:100], raw[100:]]),
            headers={
                "Content-Type": "application/json",
                "X-Hub-Signature-256": webhook.sign(raw, "the app secret"),
            },
        )
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(len(self.events(kind="message")), 1)

    @mute_logger(CONTROLLER)
    def test_odd_bodies_and_headers_are_answered(self):
        deep = b'{"entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for raw in (deep, b"[]", b'"x"', b"null", b"7", b'{"a": ' + b"9" * 9999 + b"}"):
            self.assertEqual(self.post(raw).status_code, 400, raw[:20])
        for raw in (b'{"a": NaN}', b'{"a": 1e999, "a": -1E-999}', b'{"entry": {}}'):
            self.assertEqual(self.post(raw).status_code, 200, raw[:20])
        packed = zlib.compress(b"x" * MB)
        self.assertEqual(
            self.post(packed, **{"Content-Encoding": "gzip"}).status_code, 400
        )
        for header in ("sha256=" + "0" * 60_000, "é".encode(), "sha256=,sha256="):
            answer = self.post(b"{}", **{"X-Hub-Signature-256": header})
            self.assertEqual(answer.status_code, 403)
        for value in ("x" * 50_000, "é", b"\xed\xa0\xbd", "\0", "1.2.3"):
            token = {"hub.mode": "subscribe", "hub.verify_token": value}
            self.assertEqual(self.get("whatsapp/webhook-key", **token).status_code, 403)
            token["hub.mode"] = probe.PROBE
            self.assertEqual(self.get("whatsapp/webhook-key", **token).status_code, 403)


ODD = (
    *(None, True, False, 0, -1, 7, 2.5, 10**25, -(10**300), 1e300, "", " ", "\0", "7"),
    *([], {}, [[]], [None], [{}], {"a": []}, ["x"], {"body": 7}, "x" * 70_000, "\n"),
    *("\u202e", "\u200b", "<b>*a*</b>", "99999999999", "253402300800", "-5", "1e9"),
)


class TestOddFields(WhatsappCase):
    """Every field of every kind of message, with values that no page of Meta has."""

    def changed(self, value, chance, seen=()):
        """Copies of a JSON value, each with one part of it made odd: what -> copy."""
        if isinstance(value, dict):
            for key, content in value.items():
                path = (*seen, key)
                if path == ("id",):
                    continue
                yield (*path, "odd"), {**value, key: chance.choice(ODD)}
                without = {name: item for name, item in value.items() if name != key}
                yield (*path, "gone"), without
                for what, inner in self.changed(content, chance, path):
                    yield what, {**value, key: inner}
        elif isinstance(value, list) and value:
            yield (*seen, "more"), [chance.choice(ODD), *value]
            for what, inner in self.changed(value[0], chance, (*seen, 0)):
                yield what, [inner, *value[1:]]

    @mute_logger(CONTROLLER, EVENTS, "odoo.http", "odoo.sql_db")
    def test_no_odd_field_loses_or_holds_up_a_message(self):
        from odoo.addons.mail_gateway_whatsapp_queue.tests import payloads

        chance, kinds = random.Random(7), {}  # kind -> what is odd -> message
        self.meta.answers = [(404, {"error": {"code": 100}})] * 5000
        for name in payloads.names():
            delivery = payloads.load(name)
            atoms = [atom for atom in webhook.split(delivery) if atom.kind == "message"]
            if not atoms or atoms[0].type == "system":
                continue
            original = {**atoms[0].content, "from": "5215512345678"}
            for what, message in self.changed(original, chance):
                kinds.setdefault(atoms[0].type, {}).setdefault(what, message)
        for kind, odd in kinds.items():
            with self.subTest(kind=kind), self.undone():
                self.check([*odd.values()])

    def check(self, odd):
        messages = [
            {**message, "id": f"wamid.odd{number}"}
            for number, message in enumerate(odd)
        ]
        last = self.message(content="And now?")
        answer = self.post(self.delivery(*messages, last))
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(len(self.events()), len(messages) + 1, "each is stored")
        self.drain()
        events = self.events(kind="message")
        failed = events.filtered(lambda event: event.state != "done")
        self.assertFalse(failed, failed.mapped(lambda e: (e.error, e.payload)))
        shown = self.env["mail.message"].search([("whatsapp_message_id", "!=", False)])
        reactions = {"reaction"} & set(events.mapped("type"))
        if not reactions:
            expected = {event.key.partition(":")[2] for event in events}
            expected -= {e.key.partition(":")[2] for e in events if e.type == "system"}
            self.assertEqual(expected, set(shown.mapped("whatsapp_message_id")))
        # an odd user id may be another person, who has the number before or after
        message = shown.filtered(lambda one: one.whatsapp_message_id == last["id"])
        channel = self.env["discuss.channel"].browse(message.res_id)
        self.assertIn("And now?", "".join(self.texts(channel)))
        self.assertTrue(channel.lead_id)

    @mute_logger(CONTROLLER, EVENTS, "odoo.http", "odoo.sql_db")
    def test_odd_contacts_spoil_no_message(self):
        for number, contacts in enumerate(ODD):
            body = self.delivery(self.message(content=f"Hello {number}"))
            body["entry"][0]["changes"][0]["value"]["contacts"] = contacts
            self.assertEqual(self.post(body).status_code, 200)
            body = self.delivery(self.message(content=f"Again {number}"))
            contact = body["entry"][0]["changes"][0]["value"]["contacts"][0]
            contact["profile"] = {"name": contacts, "username": contacts}
            self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        events = self.events(kind="message")
        self.assertEqual(set(events.mapped("state")), {"done"})
        self.assertEqual(len(events), 2 * len(ODD))

    @mute_logger(CONTROLLER, EVENTS, "odoo.http", "odoo.sql_db")
    def test_odd_reports_of_meta_hold_up_no_message(self):
        for value in ODD:
            statuses = [
                {"id": "w", "status": "failed", "errors": value, "timestamp": value},
                {"id": value, "status": "sent", "recipient_id": value},
                {"id": "w", "status": value, "biz_opaque_callback_data": value},
            ]
            body = self.delivery(self.message(content="Hi"), statuses=statuses)
            changes = body["entry"][0]["changes"]
            for field in ("account_update", "message_template_status_update"):
                changes.append({"field": field, "value": {"event": value, "a": value}})
            changes.append(
                {"field": "user_preferences", "value": {"user_preferences": value}}
            )
            self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        self.assertEqual(set(self.events(kind="message").mapped("state")), {"done"})
        self.assertNotIn("failed", self.events().mapped("state"))
        odd = self.events(kind="change").filtered(lambda e: e.state == "pending")
        self.assertFalse(odd, odd.mapped(lambda e: (e.error, e.payload)))
