# SPDX-License-Identifier: MIT
"""200 tests that each send one message with an app of their own, as the corpus script
story_celery526 does, to the broker that CELERY_BROKER names: with celery 5.2.6 and a broker that
has 141 connections to give, the 142nd test waits for ever."""

import os
import unittest

from celery import Celery


def one(i):
    app = Celery("app%d" % i, broker=os.environ["CELERY_BROKER"], set_as_current=False)
    app.conf.broker_transport_options = {"client_properties": {"connection_name": "test-%d" % i}}
    app.conf.broker_connection_timeout = None  # wait for ever, as a run without timeouts does
    app.send_task("proj.tasks.add", args=(i, 1))


class Story(unittest.TestCase):
    pass


for _i in range(200):
    setattr(Story, "test_%03d" % _i, lambda self, i=_i: one(i))
