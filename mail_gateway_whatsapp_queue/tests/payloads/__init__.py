# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Deliveries as Meta sends them in 2026, one file each; loaded fresh on every call."""

import copy
import json
from pathlib import Path

FOLDER = Path(__file__).parent


def names():
    """The names of all payloads, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name):
    """The delivery in this file, as a dict of the caller's own."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def without_phones(delivery):
    """The same delivery by people whose phones Meta withholds: user ids only.

    Contact cards keep their numbers, since they are content.
    """
    delivery = copy.deepcopy(delivery)
    for value in _values(delivery):
        user_ids = {
            contact["wa_id"]: contact["user_id"]
            for contact in _dicts(value.get("contacts"))
        }
        for contact in _dicts(value.get("contacts")):
            contact.pop("wa_id", None)
        for message in _dicts(value.get("messages")):
            message.pop("from", None)
            message.get("system", {}).pop("wa_id", None)
        for echo in _dicts(value.get("message_echoes")):
            echo.pop("to", None)
            if "message" in echo:  # of Meta's agent
                inner = echo["message"]
                inner["recipient"] = "MX.13491208655302741918"
                inner.pop("to", None)
        for preference in _dicts(value.get("user_preferences")):
            preference.pop("wa_id", None)
        for status in _dicts(value.get("statuses")):
            _withhold_recipient(status, user_ids)
    return delivery


def _withhold_recipient(status, user_ids):
    """A status of a send to the user id: it names that id, even when failed."""
    phone = status.pop("recipient_id", None)
    if phone and "recipient_user_id" not in status:
        status["recipient_user_id"] = user_ids.get(phone, f"ZZ.{phone}")


def _values(delivery):
    for entry in delivery["entry"]:
        for change in entry["changes"]:
            yield change["value"]
            if "standby" in change["value"]:
                yield change["value"]["standby"]


def _dicts(items):
    return [item for item in items or [] if isinstance(item, dict)]
