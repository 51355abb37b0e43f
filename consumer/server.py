"""The HTTP server: uvicorn, with a bound on what a connection may keep waiting or pile up."""

import resource

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_S = 20  # from its first byte, or the connection, until a request is whole
STALLED_S = 30  # that a reader may leave its answer unread
IDLE_S = 15  # between two requests
MAX_HEAD_BYTES = 64 * 1024
MAX_UNREAD_BYTES = 1024 * 1024  # of a body that was answered without being read
SPARE_FILES = 256  # for bundles, pipes and the database, beside the connections


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, which waits for neither a slow request nor a slow reader for ever."""

    max_connections = 1000
    request_s = REQUEST_S
    _due = None
    _stalled = None
    _head_bytes = _body_bytes = 0
    _in_head = True

    def connection_made(self, transport) -> None:
        """Refuses a connection over the bound; gives any other REQUEST_S for its first request."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            return transport.abort()
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head that is not whole."""
        if self._due is None:
            self._expect()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of this request is over {MAX_HEAD_BYTES // 1024} KiB.")

    def on_headers_complete(self) -> None:
        """The head is whole; what piled up before does not count on."""
        self._in_head, self._head_bytes, self._body_bytes = False, 0, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Reads to its end a body that nobody wants, so that the answer arrives, unless it is a large one."""
        self._body_bytes += len(body)
        if self.cycle.response_complete and self._body_bytes > MAX_UNREAD_BYTES:
            self.transport.abort()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; the next begins with its first byte."""
        self._in_head = True
        self._cancel()
        super().on_message_complete()

    def connection_lost(self, exc) -> None:
        """Nothing waits any more."""
        self._cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The reader does not keep up; it has STALLED_S to go on."""
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader goes on."""
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

    def _expect(self) -> None:
        self._due = self.loop.call_later(self.request_s, self.transport.abort)

    def _cancel(self) -> None:
        if self._due:
            self._due.cancel()
            self._due = None


def run(app, host: str, port: int, trusted_proxies: str | None = None) -> None:
    """Serves until it is stopped; X-Forwarded-For counts only from `trusted_proxies`, addresses with commas between."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Patient.max_connections = max(64, min(most, 65_536) - SPARE_FILES)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=Patient,
        ws="none",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=10,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
    )
