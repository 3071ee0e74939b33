# SPDX-License-Identifier: MIT
"""A cache of plain dictionaries by request number, never emptied; no class of the program's own."""

# ANSWER module __main__ | .responses | [*] | dict
responses = {}


def leak(n):
    for i in range(n):
        responses["request-%d" % i] = {"status": 200, "body": bytearray(500), "number": 10000 + i}
