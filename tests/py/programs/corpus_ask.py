# SPDX-License-Identifier: MIT
"""corpus_ask.py CORPUS SCRIPT N QUESTION [SNAPSHOT]: leak N times as SCRIPT does, ask why from
inside, tell the text and the JSON; with SNAPSHOT also write one and ask that. The script runs as
__main__, as it would by itself."""

import json
import os
import sys

corpus, script, number, question = sys.argv[1:5]
snapshot = sys.argv[5] if len(sys.argv) > 5 else None
sys.path.insert(0, corpus)
__file__ = os.path.join(corpus, script + ".py")
with open(__file__, encoding="utf-8") as source:
    body = source.read().replace("if __name__ == '__main__':", "if False:")
exec(compile(body, __file__, "exec"), globals())
leak(int(number))  # noqa: F821

import refchain  # noqa: E402


def ask():
    answer = refchain.why(question)
    told = {"text": str(answer), "json": json.loads(answer.json())}
    if snapshot:
        refchain.dump(snapshot)
        again = refchain.load(snapshot).why(question)
        told["snapshot"] = json.loads(again.json())
        told["snapshot_text"] = str(again)
    print("@@" + json.dumps(told), flush=True)


ask()
os._exit(0)
