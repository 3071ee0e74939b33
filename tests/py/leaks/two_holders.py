# SPDX-License-Identifier: MIT
"""A registry and a cache hold the same orders: the cache the newest 30, the registry all."""

# ANSWER module __main__ | .registry,.recent | [*] | Order
import collections

registry = {}
recent = collections.deque(maxlen=30)


class Order:
    pass


def leak(n):
    for i in range(n):
        order = Order()
        registry[i] = order
        recent.append(order)
