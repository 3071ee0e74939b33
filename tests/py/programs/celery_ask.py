# SPDX-License-Identifier: MIT
"""celery_ask.py CORPUS N QUESTION...: leak N Celery apps as story_celery526 does, ask why, and
tell each answer with how many descriptors and threads there were before and after, and the time."""

import json
import os
import sys
import threading
import time

corpus, number = sys.argv[1:3]
sys.path.insert(0, corpus)
__file__ = os.path.join(corpus, "story_celery526.py")
with open(__file__, encoding="utf-8") as source:
    body = source.read().replace("if __name__ == '__main__':", "if False:")
exec(compile(body, __file__, "exec"), globals())
leak(int(number))  # noqa: F821

import refchain  # noqa: E402


def sockets():
    links = (os.path.join("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd"))
    return sum(os.path.islink(ln) and os.readlink(ln).startswith("socket:") for ln in links)


def ask(question):
    before, threads, start = sockets(), threading.active_count(), time.monotonic()
    answer = refchain.why(question)
    seconds = time.monotonic() - start
    return {
        "answer": json.loads(answer.json()),
        "text": str(answer),
        "sockets": [before, sockets()],
        "threads": [threads, threading.active_count()],
        "seconds": seconds,
    }


for question in sys.argv[3:]:
    print("@@" + json.dumps(ask(question)), flush=True)
os._exit(0)
