# SPDX-License-Identifier: MIT
"""A pool's thread lives for ever, and its threading.local collects every request."""

# ANSWER * | .seen | [*] | Request
import threading

local = threading.local()
stop = threading.Event()
done = threading.Event()


class Request:
    pass


def work(n):
    local.seen = []
    for _ in range(n):
        local.seen.append(Request())
    done.set()
    stop.wait()


def leak(n):
    threading.Thread(target=work, args=(n,), daemon=True, name="pool-1").start()
    done.wait()
