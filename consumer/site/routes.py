"""The addresses of all pages."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import (
    about,
    api,
    artifact,
    board,
    compare,
    data,
    explore,
    feeds,
    home,
    metric,
    project,
    scores,
    searching,
    share,
    static,
    status,
)


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    parts = (static, home, board, project, artifact, metric, searching, compare, share, explore, scores, api, about)
    # feeds first: the address of a project takes all that follows
    found = [route for part in (feeds, data, status) for route in part.routes(serving)]
    return found + [route for part in parts for route in part.routes()]
