"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import artifact, board, data, explore, feeds, home, metric, project, scores, searching, static, status


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    pages = (static, home, board, project, artifact, metric, searching, explore, scores, data)
    with_releases = (status, feeds)
    return [
        *(route for page in pages for route in page.routes()),
        *(route for page in with_releases for route in page.routes(serving)),
    ]
