"""A proxy before S3 that can fail: 503 for everything, or uploads to some path that stand still."""

import re
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cluster.servers import HOST


class Proxy(ThreadingHTTPServer):
    """Passes requests on; while `down` answers 503; uploads to a path that `holds` matches wait for `let_go`."""

    def __init__(self, upstream: int) -> None:
        super().__init__((HOST, 0), _Handler)
        self.upstream, self.down, self.refused, self.holds, self.held_port = upstream, False, 0, None, None
        self.held, self.let_go = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *args) -> None:
        """Who was killed does not wait for its answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        proxy, body = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        while "Transfer-Encoding" in self.headers and not body.endswith(b"0\r\n\r\n"):
            size = self.rfile.readline()
            body += size + self.rfile.read(int(size, 16) + 2)
        if proxy.holds and re.search(proxy.holds, self.path) and self.command in ("POST", "PUT"):
            proxy.held_port = self.client_address[1]
            proxy.held.set()
            proxy.let_go.wait(120)
        status, headers, answer = (503, {}, b"") if proxy.down else self._upstream(body)
        proxy.refused += proxy.down
        self.send_response_only(status)
        for name, value in ({"Content-Length": str(len(answer))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _pass

    def _upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(HOST, self.server.upstream, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        headers = {k: v for k, v in response.getheaders() if k.lower() not in ("transfer-encoding", "connection")}
        return response.status, headers, response.read()

    def log_message(self, *args) -> None:
        """Says nothing."""
