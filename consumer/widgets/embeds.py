"""Charts in frames of other sites, and oEmbed, by which other sites find the frame of a page."""

from urllib.parse import unquote, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumer.problems import Problem
from consumer.rest.endpoint import Parameter
from consumer.rest.entities import find
from consumer.site.finding import address
from consumer.site.numbers import STRIP, newest
from consumer.site.pages import origin, page
from consumer.widgets.asked import Shown, one_metric, parameters, shown

FRAMED = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
}
WIDTH, HEIGHT = 720, 360
SMALLEST = 120
OWN_THEME = Parameter("theme", "Colours; without it those of the reader's system", allowed=("light", "dark"))
URL = Parameter("url", "Address of a page or an embedded chart of this site", required=True)
MAX_WIDTH, MAX_HEIGHT = (
    Parameter(f"max{side}", "Pixels", "integer", bounds=(1, 10_000)) for side in ("width", "height")
)
FORMAT = Parameter("format", "Form of the answer", default="json", allowed=("json",))


def routes() -> list[Route]:
    """The routes of embedded charts."""
    return [Route("/embed/{kind}/{name:path}/{metric_name}", _embed), Route("/oembed", _oembed)]


def path_of(of: Shown) -> str:
    """What follows /embed/, /charts/ or /badges/ in the address of what is shown."""
    name = of.entity_id if of.kind == "artifact" else _page(of).rpartition("/")[2]
    return f"{of.kind}/{name}/{of.metric['metric_name']}"


def _page(of: Shown) -> str:
    return address(of.bundle, of.kind, of.entity)


def _embed(request: Request) -> Response:
    asked = parameters(request, OWN_THEME)
    of = shown(request)
    points = of.points()
    return page(
        request,
        "embed.html",
        headers=FRAMED,
        theme=asked["theme"],
        shown=of,
        svg=of.drawing(points, None),
        last=points[-1].day if points else None,
        quality=sorted({point.quality for point in points if point.known}),
        address=_page(of),
    )


def _oembed(request: Request) -> Response:
    known = (URL, MAX_WIDTH, MAX_HEIGHT, FORMAT)
    given = {name: text for name, text in request.query_params.items() if name in {one.name for one in known}}
    if "url" not in given:
        raise Problem(400, "The parameter 'url' is missing: the address of a page of this site.", parameter="url")
    asked = {one.name: one.parse(given[one.name]) if one.name in given else one.default for one in known}
    of = _addressed(request, asked["url"])
    width, height = (
        max(min(most or usual, usual), SMALLEST)
        for most, usual in ((asked["maxwidth"], WIDTH), (asked["maxheight"], HEIGHT))
    )
    title = f"{of.name}: {of.title}"
    source = f"{origin(request)}/embed/{path_of(of)}"
    frame = Markup('<iframe src="{}" width="{}" height="{}" title="{}" loading="lazy"></iframe>')
    return JSONResponse(
        {
            "version": "1.0",
            "type": "rich",
            "html": frame.format(source, width, height, title),
            "width": width,
            "height": height,
            "title": title,
            "provider_name": "OpenImpact",
            "provider_url": str(request.base_url),
            "cache_age": 3600,
        }
    )


def _addressed(request: Request, url: str) -> Shown:
    """What an address of this site shows: /embed/<kind>/<name>/<metric>, or the page of an entity."""
    parts = urlsplit(url)
    own = urlsplit(str(request.base_url))
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise Problem(404, f"{url[:100]!r} is not an address of this site; those begin with {request.base_url}.")
    first, _, rest = parts.path.strip("/").partition("/")
    bundle = request.state.bundle
    if first == "embed" and rest.count("/") >= 2:
        kind, _, rest = rest.partition("/")
        name, _, metric_name = rest.rpartition("/")
    else:
        kind, name, metric_name = {"projects": "project", "collections": "collection"}.get(first), rest, None
    if kind not in ("project", "collection", "artifact") or not name:
        raise Problem(404, f"{url[:100]!r} has nothing to embed: /projects/, /collections/ and /embed/ have.")
    found = find(bundle, kind, unquote(name))
    metric_name = unquote(metric_name) if metric_name else _headline(bundle, kind, found[f"{kind}_id"])
    return Shown(bundle, kind, found, one_metric(bundle, kind, metric_name))


def _headline(bundle, kind: str, entity_id: str) -> str:
    """The first of the numbers at the head of a page that is known and has a series, else the first of them."""
    numbers = newest(bundle, kind, entity_id)
    wanted = [name for _, names in STRIP for name in names if not name.endswith("over_all_time")]
    return next((name for name in wanted if name in numbers and numbers[name]["amount"] is not None), wanted[0])
