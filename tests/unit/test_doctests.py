# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The examples in the docstrings of the tools run."""

import doctest
import importlib
from pathlib import Path

import crm_tools
import pytest
import tools

MODULES = sorted(
    {
        f"{package.__name__}.{path.stem}"
        for package in (tools, crm_tools)
        for path in Path(package.__file__).parent.glob("[a-z]*.py")
    }
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
