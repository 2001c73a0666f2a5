# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The pure tools are tested without importing the addon, which needs Odoo."""

import importlib.util
import sys
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "crm_whatsapp_gateway"
sys.path[:0] = [str(ADDON), str(Path(__file__).parent)]


def _load_payloads():
    path = ADDON / "tests" / "payloads" / "__init__.py"
    spec = importlib.util.spec_from_file_location("whatsapp_payloads", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


_load_payloads()


@pytest.fixture
def payload():
    """Loads one payload by name; `hidden=True` takes the phones away."""
    import whatsapp_payloads

    def load(name, hidden=False):
        delivery = whatsapp_payloads.load(name)
        return whatsapp_payloads.without_phones(delivery) if hidden else delivery

    return load
