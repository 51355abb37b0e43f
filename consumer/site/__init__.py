"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import (
    artifact,
    board,
    compare,
    data,
    explore,
    home,
    metric,
    project,
    scores,
    searching,
    static,
    status,
)


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    pages = (static, home, board, project, artifact, metric, searching, compare, explore, scores)
    return [*(route for page in pages for route in page.routes()), *data.routes(serving), *status.routes(serving)]
