"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import data, explore, home, project, scores, static, status


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    return [
        *static.routes(),
        *home.routes(),
        *project.routes(),
        *explore.routes(),
        *scores.routes(),
        *data.routes(serving),
        *status.routes(serving),
    ]
