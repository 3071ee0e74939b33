# SPDX-License-Identifier: MIT
"""Contexts that were copied for callbacks are kept, and with them what was set in them."""

# ANSWER module __main__ | .pending | [*] | User
import contextvars

current = contextvars.ContextVar("current")
pending = []


class User:
    pass


def handle():
    current.set(User())
    pending.append(contextvars.copy_context())


def leak(n):
    for _ in range(n):
        contextvars.Context().run(handle)
