# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo as a person in the browser uses it: JSON-RPC over HTTP, with a login."""

import itertools

import requests

from devkit.console import Failure

TIMEOUT = 60  # seconds for one call


class Refused(Failure):
    """Odoo did not do what was asked; `kind` is the name of its exception."""

    def __init__(self, text: str, kind: str = ""):
        super().__init__(text)
        self.kind = kind


class Session:
    """One person who is logged in."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self.url, self.login = url, login
        self._numbers = itertools.count(1)
        self._http = requests.Session()
        self._http.trust_env = False  # loopback, never through a proxy
        answer = self.post(
            "/web/session/authenticate", db=database, login=login, password=password
        )
        if not answer.get("uid"):
            raise Refused(f"Odoo does not let {login} in")
        self.uid = answer["uid"]

    def post(self, path: str, **params):
        """The result of a JSON route. Raises Refused."""
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "params": params}
        try:
            response = self._http.post(self.url + path, json=body, timeout=TIMEOUT)
            answer = response.json()
        except (requests.RequestException, ValueError) as error:
            raise Refused(f"Odoo does not answer {path}: {error}") from error
        if "error" in answer:
            data = answer["error"].get("data") or {}
            text = data.get("message") or answer["error"].get("message")
            kind = (data.get("name") or "").rpartition(".")[2]
            raise Refused(f"Odoo refused {path} to {self.login}: {text}", kind)
        return answer.get("result")

    def call(self, model: str, method: str, *args, **kwargs):
        """Call a public method of a model."""
        return self.post(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs=kwargs,
        )

    def create(self, model: str, **values) -> int:
        """Make one record; returns its id."""
        created = self.call(model, "create", [values])
        return created[0]

    def read(self, model: str, domain: list, *fields: str, order="id", **kwargs):
        """The records of a domain as dicts, oldest first."""
        return self.call(
            model, "search_read", domain, fields=list(fields), order=order, **kwargs
        )

    def count(self, model: str, domain: list) -> int:
        """How many records fit."""
        return self.call(model, "search_count", domain)
