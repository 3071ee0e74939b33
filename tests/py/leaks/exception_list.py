# SPDX-License-Identifier: MIT
"""A retry helper stores the last errors with their tracebacks."""

# ANSWER module __main__ | .errors | [*] | Payload
errors = []


class Payload:
    def __init__(self):
        self.body = bytearray(1000)


def send(payload):
    raise ConnectionError("refused")


def attempt():
    payload = Payload()
    try:
        send(payload)
    except ConnectionError as error:
        errors.append(error)


def leak(n):
    for _ in range(n):
        attempt()
