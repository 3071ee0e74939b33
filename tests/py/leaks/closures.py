# SPDX-License-Identifier: MIT
"""Hooks are closures in a module's list; each keeps the buffer it was made with."""

# ANSWER module __main__ | .hooks | [*] | function
hooks = []


def make_hook(size):
    buffer = bytearray(size)

    def hook():
        return len(buffer)

    return hook


def leak(n):
    for _ in range(n):
        hooks.append(make_hook(4000))
