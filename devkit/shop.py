# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A real Odoo with the addon, a gateway and three salespeople; and Meta's signature.

What is proven here needs committed transactions and several processes, so it stands
outside of Odoo's own tests, which see one transaction only.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from devkit import database, environment, paths, prepared, server

SECRET = "an app secret"
KEY = "webhook-key"
NUMBER = "10001"
SALESPEOPLE = ("sofia", "tomas", "ulises")
PATIENCE = 120  # seconds until everything that was delivered is dealt with

PREPARE = f"""
ours = "whatsapp_agent" in env["hr.employee"]._fields
if ours:
    env["hr.employee"].search([]).whatsapp_agent = False
groups = "group_ids" if "group_ids" in env["res.users"]._fields else "groups_id"
names = ("base.group_user", "sales_team.group_sale_salesman")
ids = [env.ref(name).id for name in names]
for login in {SALESPEOPLE!r}:
    user = env["res.users"].with_context(no_reset_password=True).create(
        {{"name": login, "login": login, groups: [(6, 0, ids)]}})
    env["hr.employee"].create(
        {{"name": login, "user_id": user.id, "company_id": env.company.id}})
env["mail.gateway"].create({{
    "name": "Sales", "gateway_type": "whatsapp", "token": "EAAtoken",
    "webhook_key": "{KEY}", "webhook_secret": "{SECRET}",
    "whatsapp_security_key": "verify", "whatsapp_from_phone": "{NUMBER}",
    "integrated_webhook_state": "integrated"}})
"""


@dataclass
class Shop:
    """The database under test, and what runs on it."""

    environment: environment.Environment
    database: str
    servers: list = field(default_factory=list)

    def start(
        self, *options: str, port: int | None = None, host: str = ""
    ) -> server.Server:
        """Start one more Odoo on this database, on a free port if none is named.

        :param host: name of a host of its own, which shares with the others the
            database and, as by a network disk, the files of attachments
        """
        if host:
            options += (f"--data-dir={self._data_of(host)}",)
        started = server.start(
            self.environment,
            self.database,
            *options,
            port=port,
            recorded_as=f"{self.database}-{len(self.servers)}",
        )
        self.servers.append(started)
        return started

    def _data_of(self, host: str) -> Path:
        folder = self._hosts / host
        if not folder.exists():
            folder.mkdir(parents=True)
            files = self.environment.filestore(self.database).parent
            (folder / "filestore").symlink_to(files)
        return folder

    @property
    def _hosts(self) -> Path:
        return self.environment.folder / f"hosts-of-{self.database}"

    def stop(self) -> None:
        with ThreadPoolExecutor() as pool:  # each takes a second or two to end
            list(pool.map(server.Server.stop, self.servers))
        shutil.rmtree(self._hosts, ignore_errors=True)

    def rows(self, statement: str, *values) -> list[tuple]:
        """What the database says."""
        with self.environment.cluster.connect(self.database) as connection:
            return connection.execute(statement, values).fetchall()

    def execute(self, statement: str, values=None) -> None:
        """Change the database."""
        with self.environment.cluster.connect(self.database) as connection:
            connection.execute(statement, values)

    def value(self, statement: str, *values):
        """One value of the database."""
        return self.rows(statement, *values)[0][0]

    def wait(self) -> None:
        """Wait until no event is left to be done."""
        until = time.monotonic() + PATIENCE
        pending = "SELECT count(*) FROM whatsapp_webhook_event WHERE state = 'pending'"
        while self.value(pending):
            assert time.monotonic() < until, self.rows(
                "SELECT key, attempts, error FROM whatsapp_webhook_event"
                " WHERE state = 'pending' LIMIT 5"
            )
            time.sleep(0.2)


@contextlib.contextmanager
def opened(name: str, series: str, odoo: Path | None = None, with_addon: bool = True):
    """A fresh shop; its servers and its database are gone afterwards.

    Without our addon it is OCA's two modules alone that receive.
    """
    env = environment.provide(series, odoo)
    name = f"{name}-{series}-{paths.checkout()}"
    shop = Shop(env, database.copy(env, name, _prepared(env, with_addon)))
    try:
        yield shop
    finally:
        shop.stop()
        database.drop(env, shop.database)


def _prepared(env: environment.Environment, with_addon: bool) -> str:
    """The database of which all shops are copies."""
    kind = "shop" if with_addon else "shop-oca"
    base = prepared.ours(env) if with_addon else database.template(env)

    def make(name: str) -> None:
        database.run_inside(env, name, PREPARE, "preparing the shop")

    return prepared.ensure(env, kind, base, [PREPARE], make)


def message(number: int, sender: str, text: str | None = None, stamp: int = 0) -> dict:
    """A text message as Meta delivers it."""
    return {
        "id": f"wamid.{sender}.{number}",
        "from": sender,
        "from_user_id": f"MX.{sender}",
        "timestamp": str(stamp or int(time.time())),
        "type": "text",
        "text": {"body": text or f"picture {number}"},
    }


def delivery(*messages: dict) -> bytes:
    """The body of a webhook with messages of one sender."""
    sender = messages[0]["from"]
    contact = {"profile": {"name": f"Sender {sender}"}, "wa_id": sender}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": NUMBER},
        "contacts": [{**contact, "user_id": f"MX.{sender}"}],
        "messages": list(messages),
    }
    change = {"field": "messages", "value": value}
    entry = {"id": "20001", "changes": [change]}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}
    ).encode()


def post(url: str, body: bytes, timeout: float = 60) -> int:
    """Deliver one body, signed; the status, or 0 if nobody answered."""
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={mark}",
        "Content-Type": "application/json",
    }
    path = f"/gateway/whatsapp/{KEY}/update"
    return request("POST", url, path, body, headers, timeout)


def request(
    method: str,
    url: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 60,
) -> int:
    """Ask on a connection of its own, as cheaply as Python can: a benchmark asks on
    the machine that it measures. Return the status, or 0 if nobody answered.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return response.status
