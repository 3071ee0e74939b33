# SPDX-License-Identifier: MIT
"""A cache of caches: entries of many small dictionaries, by user and by page, below one object."""
# ANSWER module __main__ | .app.cache.pages | [*] | Page


class Page:
    def __init__(self, text):
        self.text = text


class Cache:
    def __init__(self):
        self.pages = {}

    def put(self, user, number):
        self.pages.setdefault(user, {})[number] = Page("x" * number)


class App:
    def __init__(self):
        self.cache = Cache()


app = App()


def leak(n):
    for i in range(n):
        app.cache.put("user-%d" % (i // 3), i)
