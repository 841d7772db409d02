# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin for pytest: --machine-kind=vm selects the tests that use a virtual machine, local all the others."""

import re
from typing import List

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--machine-kind", choices=("local", "vm"), required=True)


def needs_vm(item: pytest.Item) -> bool:
    """It says so by its fixture or mark, or starts one itself and says so by its name."""
    fixtures = getattr(item, "fixturenames", ())
    return "vm" in fixtures or item.get_closest_marker("vm") is not None or \
        re.search(r"(^|_)vm(_|$)", getattr(item, "originalname", "") or item.name) is not None


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    wanted = config.getoption("--machine-kind") == "vm"
    config.hook.pytest_deselected(items=[item for item in items if needs_vm(item) != wanted])
    items[:] = [item for item in items if needs_vm(item) == wanted]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vm: needs a virtual machine")
