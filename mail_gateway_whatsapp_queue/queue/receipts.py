# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tells Meta what a person does with a message: read it, type an answer.

It is a courtesy: what a crash or an error loses is not sent again. So it needs no row
in the database, and never keeps a person waiting.
"""

import logging
import threading

from odoo import SUPERUSER_ID, api, modules
from odoo.modules.registry import Registry

from ..tools.errors import CloudApiError
from .sender import session

_logger = logging.getLogger(__name__)

_guard = threading.Lock()
_waiting = {}  # (database, gateway, conversation) -> (id of Meta, typing), the last
_at_work = set()  # databases


def later(dbname, gateway_id, channel_id, wamid, typing):
    """Have the customer see it soon. Never raises, never waits.

    :param str dbname: database
    :param str wamid: Meta's id of the customer's last message
    :param bool typing: besides, somebody types
    """
    if modules.module.current_test:
        return
    with _guard:
        _waiting[dbname, gateway_id, channel_id] = (wamid, typing)
        if dbname in _at_work:
            return
        _at_work.add(dbname)
    thread = threading.Thread(
        target=_run, args=(dbname,), name=f"whatsapp-receipts-{dbname}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the machine has no thread left
        with _guard:
            _at_work.discard(dbname)


def _run(dbname):
    threading.current_thread().dbname = dbname
    while True:
        with _guard:
            key = next((key for key in _waiting if key[0] == dbname), None)
            if not key:
                _at_work.discard(dbname)
                return
            wamid, typing = _waiting.pop(key)
        try:
            _tell(dbname, key[1], wamid, typing)
        except Exception as error:
            _logger.info("a receipt was not sent: %s", type(error).__name__)


def _tell(dbname, gateway_id, wamid, typing):
    with Registry(dbname).cursor() as cr:
        gateway = api.Environment(cr, SUPERUSER_ID, {})["mail.gateway"]
        gateway = gateway.browse(gateway_id).exists()
        if not gateway or gateway.whatsapp_pause_reason or gateway._whatsapp_why_off():
            return
        client, number = gateway._whatsapp_client(), gateway.whatsapp_from_phone
    try:
        client.using(session).mark_read(number, wamid, typing=typing)
    except CloudApiError as error:
        _logger.info("a receipt was not taken: %s", error)
