# SPDX-License-Identifier: MIT
"""pytest and hypothesis are imported, with their own registries of plugins and strategies."""

import importlib


def leak(n):
    for name in ("pytest", "hypothesis", "hypothesis.strategies", "networkx"):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
