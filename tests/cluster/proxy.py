"""A proxy before S3 that can fail: 503 for everything, or uploads of some path that stand still."""

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cluster.servers import HOST


class Proxy(ThreadingHTTPServer):
    """Passes requests on; while `down` answers 503; uploads to a path that `holds` matches wait for `let_go`."""

    def __init__(self, upstream: int) -> None:
        super().__init__((HOST, 0), _Handler)
        self.upstream, self.down, self.refused, self.holds = upstream, False, 0, None
        self.held, self.let_go = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address) -> None:
        """Who was killed does not wait for its answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        proxy, body = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        while "Transfer-Encoding" in self.headers and not body.endswith(b"0\r\n\r\n"):
            size = self.rfile.readline()
            body += size + self.rfile.read(int(size, 16) + 2)
        if proxy.holds and re.search(proxy.holds, self.path) and self.command in ("POST", "PUT"):
            proxy.held.set()
            proxy.let_go.wait(120)
        if proxy.down:
            proxy.refused += 1
            status, headers, answer = 503, [], b""
        else:
            upstream = http.client.HTTPConnection(HOST, proxy.upstream, timeout=60)
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            status, headers, answer = response.status, response.getheaders(), response.read()
            upstream.close()
        self.send_response_only(status)
        length = str(len(answer))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(answer)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _pass

    def log_message(self, *args) -> None:
        """Says nothing."""
