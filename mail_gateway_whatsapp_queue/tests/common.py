# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import itertools
import json
import time
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC
from types import SimpleNamespace
from unittest.mock import patch

import requests
from freezegun import api as freezegun
from freezegun import freeze_time
from werkzeug.wrappers import Request

from odoo import api, fields
from odoo.http import Response
from odoo.sql_db import Cursor
from odoo.tests import HttpCase, TransactionCase, tagged
from odoo.tools import html2plaintext

from ..controllers import webhook as controller
from ..models import whatsapp_message_queue
from ..models.mail_gateway import _refusals
from ..models.mail_gateway_sending import WhatsappGatewaySending
from ..queue.sender import Sender
from ..tools import webhook
from ..tools.cloud_api import CloudApi

try:
    from odoo.tests.test_cursor import TestCursor
except ImportError:  # 18.0
    from odoo.sql_db import TestCursor

BROWSER = "whatsapp_browser"  # tag of the tests that need one
HTTP = "whatsapp_http"  # tag of the others that need a server
SECRET = "the app secret"
ANA = {"from": "5215512345678", "name": "Ana Pérez", "bsuid": "MX.1349120865530274"}


def _known_by(module):
    """Return what tells whether a module got names since freezegun looked through it.

    Freezegun compares all names of all modules each time that it freezes the time,
    which takes longer than most of what is tested then: their number will do.
    """
    return f"{id(module)}-{len(getattr(module, '__dict__', ()))}"


@contextmanager
def at(moment):
    """Let it be another time, for Python and for the dates that Odoo writes.

    :param moment: naive datetime, UTC
    """
    with (
        patch.object(freezegun, "_get_module_attributes_hash", _known_by),
        freeze_time(moment),
        patch.object(Cursor, "now", lambda cr: moment),
        patch.object(TestCursor, "now", lambda cr: moment),
    ):
        yield


class MetaSession:
    """Meta's side of the HTTP client: answers as told, keeps what it got."""

    def __init__(self, calls=()):
        self.calls = [*calls]  # (method, path, json)
        self.answers = []  # (status, body or bytes) or exceptions, used up in order
        self.ids = itertools.count(len(self.calls) + 1)

    def request(self, method, url, **kwargs):
        """Stand in for ``requests.Session.request``, with a real response."""
        path = url.split("/", 4)[-1]
        self.calls.append((method, path, kwargs.get("json")))
        status, body = 200, self._default(path)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            status, body = answer
        response = requests.Response()
        response.status_code = status
        response._content = (
            body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        return response

    def _default(self, path):
        number = next(self.ids)
        if path.endswith("/media"):
            return {"id": f"media{number}"}
        return {"messages": [{"id": f"wamid.out{number}"}]}

    @property
    def sent(self):
        """The messages that Meta was asked to send."""
        return [
            body for _method, path, body in self.calls if path.endswith("/messages")
        ]


class _HoldsAll:
    """Holds whatever is asked for: a test has one transaction."""

    def try_locks(self, keys):
        return set(keys)

    def release(self, key):
        pass

    def close(self):
        pass


class InlineSender(Sender):
    """Sends in the calling thread, one by one: a test has one cursor, and one Meta."""

    claim_limit = 1

    def _open(self):
        self._holder = _HoldsAll()

    def _submit(self, outgoing, has_file, number, rate):
        future = Future()
        try:
            future.set_result(outgoing())
        except Exception as error:
            future.set_exception(error)
        return future

    def _close(self):
        pass


@tagged("post_install", "-at_install")
class GatewayCase(TransactionCase):
    """A gateway, and a Meta that obeys.

    What Meta delivers goes straight to the webhook's controller. A class that needs a
    server is an ``HttpCase``, too, behind this one, and is tagged HTTP or BROWSER: for
    such a class Odoo builds all bundles. With `over_http` Meta delivers by HTTP.
    """

    over_http = False
    _scene = SimpleNamespace(is_set=False, wamids=1, calls=(), now=None)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._scene = GatewayCase._scene
        cls._share_cursor()
        cls.startClassPatcher(
            patch.object(whatsapp_message_queue, "Sender", InlineSender)
        )
        # new users are sent no invitation: to render each takes as long as a test
        context = {"lang": "en_US", "no_reset_password": True}
        cls.env = cls.env(context={**cls.env.context, **context})
        cls.company = cls.env.company
        cls.company.country_id = cls.env.ref("base.mx")
        cls.gateway = cls.env["mail.gateway"].create(
            {
                "name": "Sales",
                "gateway_type": "whatsapp",
                "token": "EAAtoken",
                "webhook_key": "webhook-key",
                "webhook_secret": SECRET,
                "whatsapp_security_key": "verify me",
                "whatsapp_from_phone": "10001",
                "whatsapp_account_id": "20001",
                "integrated_webhook_state": "integrated",
                "company_id": cls.company.id,
            }
        )

    @classmethod
    def _share_cursor(cls):
        """Let every cursor of the registry be in the test's transaction."""
        if issubclass(cls, HttpCase):
            return  # it is shared already
        if hasattr(cls, "registry_enter_test_mode_cls"):
            cls.registry_enter_test_mode_cls()
        else:  # 18.0
            cls.registry.enter_test_mode(cls.cr)
            cls.addClassCleanup(cls.registry.leave_test_mode)

    def set_scene(self):
        """Make the records with which all tests of the class begin.

        It is done once, before the first of them, with all that a test can do, save a
        server. What it keeps in attributes is the class's: records, and nothing that a
        test changes in place. Patches belong into `setUp`.
        """

    @classmethod
    def _set_scene(cls):
        """Set the scene before the savepoint to which each test returns."""
        stage = cls()
        stage.over_http = False
        with cls.cr.savepoint(), stage._begin():
            own, began = set(vars(stage)), stage.now
            stage.set_scene()
        cls.cr.flush()  # no test gets what was to be done or told at a commit
        cls.cr.postcommit.clear()
        cls.env.invalidate_all()
        for name in set(vars(stage)) - own:
            setattr(cls, name, vars(stage)[name])
        cls._scene = SimpleNamespace(
            is_set=True,
            wamids=next(stage.wamids),
            calls=stage.meta.calls,
            now=stage.now if stage.now != began else None,
        )

    def setUp(self):
        if not self._scene.is_set:
            self._set_scene()
        cached = {}
        self.addCleanup(self._cache_again, cached)  # after Odoo emptied the caches
        super().setUp()
        cached.update(self._cached())
        self.enterContext(self._begin())

    def _cached(self):
        """Return what Odoo keeps of the records in memory: cache -> key -> content."""
        caches = self.registry._Registry__caches
        return {
            name: {key: cache[key] for key in list(cache)}
            for name, cache in caches.items()
        }

    def _cache_again(self, cached):
        """Let Odoo know what it knew of records that are again as they were.

        To find it out anew takes a large part of what a short test does.
        """
        for name, contents in cached.items():
            cache = self.registry._Registry__caches[name]
            cache.clear()
            cache.update(contents)

    @contextmanager
    def undone(self):
        """Forget what is done inside."""
        cached, savepoint = self._cached(), self.env.cr.savepoint()
        try:
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()
            self._cache_again(cached)

    def _begin(self):
        """Let Meta obey, and speak from now on; return the context of it."""
        _refusals.clear()
        self.meta = MetaSession(self._scene.calls)
        self.wamids = itertools.count(self._scene.wamids)
        now = fields.Datetime.now().replace(tzinfo=UTC).timestamp()
        self.now = self._scene.now or int(now)

        def client(gateway):
            secrets = gateway._whatsapp_secrets()
            return CloudApi(
                secrets.token,
                version=gateway.whatsapp_version,
                session=self.meta,
                secrets=secrets,
            )

        return patch.object(WhatsappGatewaySending, "_whatsapp_cloud_api", client)

    # ------------------------------------------------------------- Meta speaks

    def message(self, kind="text", content=None, person=ANA, **more):
        """Return a message as it stands in a delivery."""
        message = {
            "id": f"wamid.in{next(self.wamids)}",
            "timestamp": str(self.now),
            "type": kind,
            kind: {"body": content} if isinstance(content, str) else content,
        }
        if person.get("from"):
            message["from"] = person["from"]
        if person.get("bsuid"):
            message["from_user_id"] = person["bsuid"]
        return {**message, **more}

    def delivery(self, *messages, person=ANA, statuses=(), number="10001"):
        """Return the body of a webhook."""
        contact = {"profile": {"name": person.get("name", "")}}
        if person.get("from"):
            contact["wa_id"] = person["from"]
        if person.get("bsuid"):
            contact["user_id"] = person["bsuid"]
        value = {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "5215500000001",
                "phone_number_id": number,
            },
        }
        if messages:
            value.update(contacts=[contact], messages=list(messages))
        if statuses:
            value.update(statuses=list(statuses))
        change = {"field": "messages", "value": value}
        entry = {"id": "20001", "changes": [change]}
        return {"object": "whatsapp_business_account", "entry": [entry]}

    def post(self, body, secret=SECRET, key="webhook-key", **headers):
        """Deliver, signed; return the response."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("X-Hub-Signature-256", webhook.sign(raw, secret))
        headers.setdefault("Content-Type", "application/json")
        if self.over_http:
            address = f"/gateway/whatsapp/{key}/update"
            return self.url_open(address, data=raw, headers=headers)
        return self._call_webhook(key, method="POST", data=raw, headers=headers)

    def ask_webhook(self, key, query):
        """Ask the webhook without a server, as Meta does; return the response."""
        return self._call_webhook(key, query_string=query)

    def _call_webhook(self, key, **values):
        """Call the webhook as Odoo does for a request, in a cursor of its own.

        :param values: of the request, for werkzeug
        """
        self.cr.flush()
        self.cr.clear()
        endpoint = controller.WhatsappWebhook.post_update.original_endpoint
        public = self.env.ref("base.public_user").id
        with self.registry.cursor() as cr:
            request = SimpleNamespace(
                env=api.Environment(cr, public, {}),
                httprequest=Request.from_values(**values),
                make_response=lambda data, headers=None, status=200: Response(
                    data, headers=headers, status=status
                ),
            )
            with patch.object(controller, "request", request):
                answer = endpoint(controller.WhatsappWebhook(), "whatsapp", key)
        response = requests.Response()
        response.status_code, response._content = answer.status_code, answer.data
        return response

    def drain(self):
        """Do what the thread does after the answer."""
        self.env.flush_all()
        for drain in (self.events()._drain, self.events()._drain_media):
            drain(self.registry, time.monotonic() + 60, [])
        self.env.invalidate_all()

    def receive(self, *messages, **kwargs):
        """Deliver messages, work on them, return the conversation."""
        response = self.post(self.delivery(*messages, **kwargs))
        self.assertEqual(response.status_code, 200)
        self.drain()
        person = kwargs.get("person", ANA)
        token = person.get("from") or person["bsuid"]
        return self.env["discuss.channel"].search(
            [
                ("gateway_id", "=", self.gateway.id),
                ("gateway_channel_token", "=", token),
            ]
        )

    def events(self, **values):
        """Return the stored events with these values."""
        return self.env["whatsapp.webhook.event"].search(
            [(name, "=", value) for name, value in values.items()]
        )

    # ------------------------------------------------------------- we speak

    def answer(self, channel, body="Hello", user=None, **kwargs):
        """Post as somebody of ours; return the queue messages."""
        message = (
            channel.with_user(user or self.responsible(channel))
            .with_context(mail_create_nosubscribe=True)
            .message_post(
                body=body,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                **kwargs,
            )
        )
        return (
            self.env["whatsapp.message.queue"]
            .search([("message_id", "=", message.id)])
            .sorted("id")
        )

    def responsible(self, channel):
        """Return the user who answers in a conversation."""
        return self.env.ref("base.user_admin")

    def template(self, body="Hello", **values):
        """Return a template that Meta has approved, about contacts."""
        return self.env["mail.whatsapp.template"].create(
            {
                "name": "Greeting",
                "template_name": "greeting",
                "body": body,
                "category": "utility",
                "language": "es_MX",
                "gateway_id": self.gateway.id,
                "state": "approved",
                "is_supported": True,
                "model_id": self.env.ref("base.model_res_partner").id,
                **values,
            }
        )

    def print_as(self, content, kind="pdf"):
        """Let reports be printed as this, without the program that makes a PDF.

        :return: list of user, whether with all rights, and ids of each that is printed
        """
        printed = []

        def render(reports, report, ids, data=None):
            printed.append((reports.env.user, reports.env.su, ids))
            return content, kind

        target = type(self.env["ir.actions.report"])
        self.startPatcher(patch.object(target, "_render_qweb_pdf", render))
        return printed

    def send_due(self):
        """Do what the sender's thread does after the commit."""
        self.env.flush_all()
        queue = self.env["whatsapp.message.queue"]
        queue._drain(self.registry, time.monotonic() + 60, [])
        self.env.invalidate_all()

    def status(self, row, status, **more):
        """Deliver a status of a sent message."""
        report = {
            "id": row.wamid or "wamid.unknown",
            "status": status,
            "timestamp": str(self.now),
            "recipient_id": row.channel_id.gateway_channel_token,
            "biz_opaque_callback_data": row.uuid,
            **more,
        }
        self.assertEqual(self.post(self.delivery(statuses=[report])).status_code, 200)
        self.drain()

    # ------------------------------------------------------------- domain

    def activities_of(self, kind):
        """Return the activities of a type, of which this is the XML id."""
        return self.env["mail.activity"].search(
            [("activity_type_id", "=", self.env.ref(kind).id)]
        )

    def texts(self, channel):
        """Return what people read in a conversation, oldest first."""
        messages = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        return [
            html2plaintext(message.body).strip() for message in messages.sorted("id")
        ]
