# SPDX-License-Identifier: MIT
"""Send 137 letters, each by a client of its own that is then forgotten; look at what is still open;
ask refchain why. The clients connect to a child process on the loopback interface.

    python demo/leaky_app.py [SNAPSHOT]      also writes a snapshot for `refchain why SNAPSHOT ...`
"""
import gc
import os
import subprocess
import sys
from pathlib import Path

import courier

LETTERS = 137


def send_letter(address, number):
    client = courier.Client(address)
    client.send(f"letter {number}")


def open_sockets():
    """How many sockets this process has open, by the kernel's own account."""
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:  # the descriptor of the listing itself
            pass
    return sum(link.startswith("socket:") for link in links)


def main(snapshot=None):
    broker = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("post_office.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with broker:
        address = ("127.0.0.1", int(broker.stdout.readline()))
        before = open_sockets()
        for number in range(LETTERS):
            send_letter(address, number)
        gc.collect()
        print(f"{LETTERS} letters sent, every client forgotten, garbage collected.")
        print(f"Sockets still open: {open_sockets() - before}. Why?\n")

        import refchain

        print(">>> import refchain")
        print('>>> refchain.why("courier.Transport")')
        print(refchain.why("courier.Transport"))
        if snapshot:
            refchain.dump(snapshot)


if __name__ == "__main__":
    main(*sys.argv[1:2])
