# SPDX-License-Identifier: MIT
"""C code keeps callbacks: a sqlite3 connection in a pool has one for each statement prepared."""

# ANSWER c-held | Query
import sqlite3

connection = sqlite3.connect(":memory:")


class Query:
    def run(self, value):
        return value


def leak(n):
    for i in range(n):
        connection.create_function("f%d" % i, 1, Query().run)
