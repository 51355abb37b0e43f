"""A webhook and a mail server that keep what they are sent, on ports of their own."""

import http.server
import json
import socketserver
import threading
from contextlib import contextmanager


class Webhook(http.server.ThreadingHTTPServer):
    """Keeps (path, text) of every message; answers with `status`."""

    def __init__(self):
        self.messages, self.status = [], 200
        super().__init__(("127.0.0.1", 0), _WebhookHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/T0/B0/SECRET"


class _WebhookHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages.append((self.path, body["text"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a client without TLS needs; keeps (recipients, message) of every mail."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        self.mails = []
        super().__init__(("127.0.0.1", 0), _MailHandler)

    @property
    def port(self) -> int:
        return self.server_address[1]


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 ready")
        recipients = []
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()
            if verb.startswith("RCPT TO:"):
                recipients.append(line.partition(":")[2].strip("<> "))
            if verb == "DATA":
                self._say("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                self.server.mails.append((recipients, b"".join(lines)))
            self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def serving(server):
    """The server, answering in a thread until the end of the block."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
