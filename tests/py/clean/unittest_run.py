# SPDX-License-Identifier: MIT
"""A run of 200 tests that pass."""

import io
import unittest


class T(unittest.TestCase):
    pass


for i in range(200):
    setattr(T, "test_%d" % i, lambda self: self.assertTrue(1))


def leak(n):
    unittest.TextTestRunner(stream=io.StringIO()).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(T)
    )
