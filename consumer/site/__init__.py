"""The website: every page is drawn on the server from the release and reads without JavaScript."""

from starlette.routing import Route

from consumer.serving import Serving


def routes(serving: Serving) -> list[Route]:
    """The routes of all pages."""
    # here, not above: pages use the widgets, which use other parts of this package
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

    parts = (static, home, board, project, artifact, metric, searching, compare, share, explore, scores, api, about)
    # feeds first: the address of a project takes all that follows
    found = [route for part in (feeds, data, status) for route in part.routes(serving)]
    return found + [route for part in parts for route in part.routes()]
