# SPDX-License-Identifier: MIT
"""A broker that speaks next to nothing: greets every connection, then swallows what it is sent.

    python post_office.py      prints its port; ends when its standard input is closed
"""
import selectors
import socket
import sys


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.sendall(b"HELLO\n")
                waiting.register(connection, selectors.EVENT_READ)
            elif not key.fileobj.recv(4096):
                waiting.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    main()
