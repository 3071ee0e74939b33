# SPDX-License-Identifier: MIT
"""hangs.py APP PATH: build the objects of module APP, write the truth about them to PATH (hung.c), then
hang for good in C with the GIL held."""

import gc
import importlib
import sys

app, path = sys.argv[1:]
kept = importlib.import_module(app).build()
hung = importlib.import_module("hung")
gc.collect()
gc.disable()
hung.tell(path)
