# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The pure tools are tested without importing the addons, which need Odoo.

`tools` are those of the addon below the others, `crm_tools` those of the CRM's. No
addon's folder is on the path: one of them has a folder with a name of the standard
library.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from devkit import paths

sys.path.insert(0, str(Path(__file__).parent))
BASE = paths.REPO / paths.addons()[0]
CRM = paths.REPO / "crm_whatsapp_gateway"


def _load(name, folder):
    """Import a folder as the package of this name."""
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _call_tools(name):
    """Let the modules of `tools` be imported by this name, too."""
    sys.modules[name] = importlib.import_module("tools")
    for path in (BASE / "tools").glob("[a-z]*.py"):
        module = importlib.import_module(f"tools.{path.stem}")
        sys.modules[f"{name}.{path.stem}"] = module


_load("tools", BASE / "tools")
if BASE == CRM:
    _call_tools("crm_tools")
else:
    _call_tools(f"odoo.addons.{BASE.name}.tools")  # as the CRM's import them
    _load("crm_tools", CRM / "tools")
_load("whatsapp_payloads", paths.find("tests/payloads"))


@pytest.fixture
def payload():
    """Loads one payload by name; `hidden=True` takes the phones away."""
    import whatsapp_payloads

    def load(name, hidden=False):
        delivery = whatsapp_payloads.load(name)
        return whatsapp_payloads.without_phones(delivery) if hidden else delivery

    return load
