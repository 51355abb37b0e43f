"""The application as users meet it: served by uvicorn on a free port of this machine."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from consumer.app import create_app
from consumer.limits import TIERS
from consumer.serving import Serving
from include.settings import Settings


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serves the current release without a limit of requests; gives the address, without a slash at its end."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(Serving(settings), TIERS | {"anonymous": TIERS["internal"]})
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
