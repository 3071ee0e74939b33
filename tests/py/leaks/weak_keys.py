# SPDX-License-Identifier: MIT
"""A WeakKeyDictionary whose value refers to its key."""

# ANSWER module __main__ | .views | [*] | View
import weakref

views = weakref.WeakKeyDictionary()


class Model:
    pass


class View:
    def __init__(self, model):
        self.model = model


def leak(n):
    for _ in range(n):
        model = Model()
        views[model] = View(model)
