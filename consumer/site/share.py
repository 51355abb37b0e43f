"""What to copy to show a chart or a number elsewhere: badge, picture, frame, and how to cite it."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.site.finding import address
from consumer.site.pages import origin, page
from consumer.widgets.asked import parameters, shown
from consumer.widgets.badges import STYLE
from consumer.widgets.embeds import HEIGHT, WIDTH, path_of


def routes() -> list[Route]:
    """The route of all charts."""
    return [Route("/share/{kind}/{name:path}/{metric_name}", _share)]


def _share(request: Request) -> Response:
    parameters(request)
    of = shown(request)
    site, path = origin(request), path_of(of)
    label = f"{of.name}: {of.title}"
    home = address(of.bundle, of.kind, of.entity)
    return page(
        request,
        "share.html",
        about=f"How to show {label} elsewhere.",
        shown=of,
        home=home,
        of=path,
        styles=STYLE.allowed,
        metric_address=f"/metrics/{quote(of.metric['metric_name'], safe='')}",
        has_number=of.number() is not None,
        size={"width": WIDTH, "height": HEIGHT},
        label=label,
        site=site,
    )
