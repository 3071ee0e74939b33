# SPDX-License-Identifier: MIT
"""suspects_ask.py FOLDER SCRIPT N [SNAPSHOT]: leak N times as SCRIPT does, find suspects from inside,
tell the text and the JSON; with SNAPSHOT also write one and ask that. The script runs as __main__, as
it would by itself."""

import json
import os
import sys

folder, script, number = sys.argv[1:4]
snapshot = sys.argv[4] if len(sys.argv) > 4 else None
sys.path.insert(0, folder)
__file__ = os.path.join(folder, script + ".py")
with open(__file__, encoding="utf-8") as source:
    body = source.read().replace("if __name__ == '__main__':", "if False:")
exec(compile(body, __file__, "exec"), globals())
leak(int(number))  # noqa: F821

import refchain  # noqa: E402


def ask():
    found = refchain.suspects()
    told = {"text": str(found), "json": found.data}
    if snapshot:
        refchain.dump(snapshot)
        again = refchain.load(snapshot).suspects()
        told["snapshot"] = again.data
        told["snapshot_text"] = str(again)
    print("@@" + json.dumps(told), flush=True)


ask()
os._exit(0)
