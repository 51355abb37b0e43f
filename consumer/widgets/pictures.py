"""Charts as files, SVG and PNG, and stars under the address that READMEs have of star-history."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.charts import Point, Series, chart, days
from consumer.charts.points import known as measured
from consumer.problems import Problem
from consumer.rest.endpoint import Parameter
from consumer.rest.entities import find, known
from consumer.series import series
from consumer.widgets.asked import FROM, THEME, TO, parameters, shown
from consumer.widgets.png import png

REPOS = Parameter("repos", "owner/name of up to 10 repositories with commas between", required=True)
TYPE = Parameter("type", "What is across: the date", default="Date", allowed=("Date",))
MOST = 10
HELD, GIVEN = "GITHUB_stars_total_daily", "GITHUB_stars_daily"


def routes() -> list[Route]:
    """The routes of chart files."""
    path = "/charts/{kind}/{name:path}/{metric_name}"
    return [Route(f"{path}.svg", _svg), Route(f"{path}.png", _png), Route("/svg", _stars)]


def _drawn(request: Request) -> str:
    asked = parameters(request, THEME, FROM, TO)
    of = shown(request)
    return of.drawing(of.points(asked), asked["theme"])


def _svg(request: Request) -> Response:
    return Response(_drawn(request), media_type="image/svg+xml")


def _png(request: Request) -> Response:
    return Response(png(_drawn(request), zoom=2), media_type="image/png")


def _stars(request: Request) -> Response:
    """The stars that repositories hold, day by day; where that is not known, those that were seen to be given."""
    asked = parameters(request, REPOS, TYPE, THEME)
    names = list(dict.fromkeys(name.strip() for name in (asked["repos"] or "").split(",") if name.strip()))
    if not 1 <= len(names) <= MOST:
        raise Problem(400, f"{len(names)} repositories are named; name 1 to {MOST} as repos=owner/name,owner/name.")
    bundle = request.state.bundle
    found = {(row := find(bundle, "artifact", name, "GITHUB"))["artifact_id"]: row for name in names}
    metrics = {row["metric_name"]: key for key, row in known(bundle).metrics.items()}
    asked_for = {metrics[name]: None for name in (HELD, GIVEN) if name in metrics}
    points = series(bundle, "artifact", [*found], asked_for)
    held = [points[key].get(metrics.get(HELD), []) for key in found]
    title = "Stars"
    if not all(len(measured(one)) > 1 for one in held):
        given = [points[key].get(metrics.get(GIVEN), []) for key in found]
        first = min((point.day for one in given for point in one), default=None)
        title = f"Stars given since {days.in_words(first)}" if first else "Stars"
        held = [summed(one) for one in given]
    full = [f"{row['artifact_namespace']}/{row['artifact_name']}" for row in found.values()]
    short = [row["artifact_name"] for row in found.values()]
    labels = short if len(set(short)) == len(short) > 1 else full
    drawn = chart(
        [Series(label, one) for label, one in zip(labels, held, strict=True)],
        unit="count",
        kind="line",
        title=f"{labels[0]}: {title}" if len(labels) == 1 else title,
        theme=asked["theme"],
    )
    return Response(drawn, media_type="image/svg+xml")


def summed(points: list[Point]) -> list[Point]:
    """The running sum of counts; partial from the first day on that was not wholly seen."""
    total, quality, sums = 0.0, "ok", []
    for point in points:
        quality = "ok" if quality == "ok" == point.quality else "partial"
        if not point.known:
            sums.append(Point(point.day, None, "unknown"))
            continue
        total += point.amount
        sums.append(Point(point.day, total, quality))
    return sums
