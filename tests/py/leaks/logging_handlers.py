# SPDX-License-Identifier: MIT
"""A logging handler is added for every job and never removed."""

# ANSWER module * | .handlers | [*] | JobHandler
import logging

log = logging.getLogger("worker")


class Job:
    def __init__(self, number):
        self.number = number
        self.lines = ["x" * 100 + str(number)]


class JobHandler(logging.Handler):
    def __init__(self, job):
        super().__init__()
        self.job = job

    def emit(self, record):
        self.job.lines.append(record)


def leak(n):
    for i in range(n):
        log.addHandler(JobHandler(Job(i)))
