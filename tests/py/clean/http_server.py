# SPDX-License-Identifier: MIT
"""A server of HTTP that has answered, and waits."""

import http.server
import threading
import urllib.request


class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *a):
        pass


s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)


def leak(n):
    threading.Thread(target=s.serve_forever, daemon=True).start()
    for i in range(n):
        urllib.request.urlopen("http://127.0.0.1:%d/" % s.server_port).read()
