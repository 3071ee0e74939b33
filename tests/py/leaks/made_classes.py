# SPDX-License-Identifier: MIT
"""A class is made for each request, and a registry keeps them all."""

# ANSWER module __main__ | .models | [*] | type
models = {}


def leak(n):
    for i in range(n):
        models[i] = type("Model", (), {"number": i, "columns": ["a", "b"]})
