# SPDX-License-Identifier: MIT
"""A list that is an attribute of the class, not of the instance."""
# ANSWER module __main__ | .Plugin.instances | [*] | Plugin


class Plugin:
    instances = []

    def __init__(self):
        self.instances.append(self)


def leak(n):
    for _ in range(n):
        Plugin()
