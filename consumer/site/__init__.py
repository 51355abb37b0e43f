"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import artifact, board, home, metric, project, searching, static


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    return [route for part in (static, home, board, project, artifact, metric, searching) for route in part.routes()]
