"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving
from consumer.site import about, api, data, explore, home, scores, static, status


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    tools = [*api.routes(), *about.routes(), *data.routes(serving), *explore.routes(), *scores.routes()]
    return [*static.routes(), *home.routes(), *tools, *status.routes(serving)]
