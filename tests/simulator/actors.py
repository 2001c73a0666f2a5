# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who takes part in the tests: our side of the webhook, and a business that sends."""

import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests

SECRET, VERIFY_TOKEN = "app-secret", "verify-me"
ANA = "34600111222"


class Callback(ThreadingHTTPServer):
    """Our side of the webhook: keeps every delivery, answers what it is told to."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.tests = 0
        self.begin()

    def begin(self) -> None:
        """Forget the last test; what is still under way for it goes to its path."""
        self.tests += 1
        self.path = f"/gateway/whatsapp/{self.tests}/update"
        self.answers: list[int] = []  # statuses of the next answers; then 200
        self.pause = 0.0
        self.posts: list[dict] = []
        self.running = self.most_at_once = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.path}"

    def handle_error(self, request, client_address):
        """Callers that hang up are part of the tests."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def bodies(self) -> list[dict]:
        return [json.loads(post["raw"]) for post in self.posts]

    def values(self) -> list[dict]:
        return [
            change["value"]
            for body in self.bodies()
            for entry in body["entry"]
            for change in entry["changes"]
        ]

    def messages(self) -> list[dict]:
        return [m for value in self.values() for m in value.get("messages", [])]

    def statuses(self) -> list[dict]:
        return [s for value in self.values() for s in value.get("statuses", [])]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Callback

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        if query.get("hub.verify_token") == [VERIFY_TOKEN]:
            self._answer(200, query["hub.challenge"][0].encode())
        else:
            self._answer(403, b"")

    def do_POST(self):
        server = self.server
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != server.path:
            return self._answer(200, b"")
        with server.lock:
            server.running += 1
            server.most_at_once = max(server.most_at_once, server.running)
            post = {"raw": raw, "at": time.monotonic()}
            post["signature"] = self.headers.get("X-Hub-Signature-256")
            server.posts.append(post)
            answer = server.answers.pop(0) if server.answers else 200
        time.sleep(server.pause)
        with server.lock:
            server.running -= 1
        self._answer(answer, b"")

    def _answer(self, status: int, body: bytes):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Quiet."""


class Business:
    """Calls Meta's side as a business would, with the token of the app."""

    def __init__(self, url: str, setup: dict):
        self.url = url
        self.app, self.account, self.number = (
            setup["app"],
            setup["account"],
            setup["number"],
        )
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {self.app['token']}"

    def call(self, method: str, path: str, **options) -> requests.Response:
        options.setdefault("timeout", 10)
        return self.http.request(method, f"{self.url}/v25.0/{path}", **options)

    def get(self, path: str, **query) -> requests.Response:
        return self.call("GET", path, params=query)

    def as_app(self, method: str, path: str, secret: str | None = None, **options):
        """A call with the rights of the app itself."""
        token = f"{self.app['id']}|{secret or self.app['secret']}"
        headers = {"Authorization": f"Bearer {token}"}
        return self.call(method, path, headers=headers, **options)

    def post(self, payload, number: dict | None = None, **options):
        number = number or self.number
        return self.call("POST", f"{number['id']}/messages", json=payload, **options)

    def send(self, to="+" + ANA, kind: str = "text", timeout: float = 10, **values):
        payload = {"messaging_product": "whatsapp", "to": to, "type": kind}
        if kind == "text":
            payload["text"] = {"body": "Hola"}
        return self.post(payload | values, timeout=timeout)

    def wamid(self, **values) -> str:
        response = self.send(**values)
        assert response.status_code == 200, response.text
        return response.json()["messages"][0]["id"]

    def upload(self, content: bytes, mime_type: str, name: str = "file"):
        return self.call(
            "POST",
            f"{self.number['id']}/media",
            data={"messaging_product": "whatsapp", "type": mime_type},
            files={"file": (name, content, mime_type)},
        )


def signature(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
