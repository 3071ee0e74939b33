# SPDX-License-Identifier: MIT
"""corpus_waits.py CORPUS SCRIPT N [QUESTION]: leak N times as SCRIPT does, tell the answer from inside (no
question: none), and wait to be looked at from outside. The script runs as __main__, as it would by itself."""

import os
import sys
import time

corpus, script, number, *questions = sys.argv[1:]
sys.path.insert(0, corpus)
__file__ = os.path.join(corpus, script + ".py")
with open(__file__, encoding="utf-8") as source:
    body = source.read().replace("if __name__ == '__main__':", "if False:")
exec(compile(body, __file__, "exec"), globals())
leak(int(number))  # noqa: F821


def ask(question):
    import refchain

    return " ".join(refchain.why(question).json().split())


print("@@", *map(ask, questions), flush=True)
time.sleep(1000)
