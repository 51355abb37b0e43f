"""Two to ten projects in one chart; the address is the whole of the question."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.charts import Point, Series, chart
from consumer.problems import Problem
from consumer.rest.endpoint import Parameter
from consumer.rest.entities import known
from consumer.series import changes, series
from consumer.site.finding import address, entity
from consumer.site.numbers import SECTIONS
from consumer.site.pages import page
from consumer.site.words import each
from consumer.widgets.asked import one_metric, parameters, shape

MOST = 10
USUAL = "GITHUB_active_developers_over_30_day_period"
ASKED = (
    Parameter("projects", "Names or ids with commas between"),
    Parameter("metric", "Full name of the metric"),
    Parameter("scale", "Scale of the amounts", default="linear", allowed=("linear", "log")),
    Parameter("mode", "As they are, or from 100 on a common day", default="absolute", allowed=("absolute", "indexed")),
    Parameter("add", "One more project"),
)


@dataclass(frozen=True)
class Question:
    """What is compared: the projects' names, the metric's full name, scale and mode."""

    projects: tuple[str, ...]
    metric: str
    scale: str = "linear"
    mode: str = "absolute"

    def address(self, **other) -> str:
        """The page's address, with some parts other than here."""
        parts = {"projects": self.projects, "metric": self.metric, "scale": self.scale, "mode": self.mode} | other
        return "/compare?" + urlencode(parts | {"projects": ",".join(parts["projects"])}, safe=",")

    def without(self, name: str) -> str:
        """The address without one project."""
        return self.address(projects=tuple(one for one in self.projects if one != name))


def routes() -> list[Route]:
    """The route of the comparison."""
    return [Route("/compare", _compare)]


def indexed(lines: list[Series]) -> tuple[list[Series], date | None]:
    """The lines as 100 on the first day on which all have a number above zero, and that day; None if there is none."""
    days = [{point.day for point in line.points if point.known and point.amount > 0} for line in lines]
    common = min(set.intersection(*days), default=None) if days else None
    if common is None:
        return lines, None
    found = []
    for line in lines:
        base = next(point.amount for point in line.points if point.day == common)
        points = [
            Point(point.day, 100 * point.amount / base, point.quality) if point.known else point
            for point in line.points
            if point.day >= common
        ]
        found.append(Series(line.label, points))
    return found, common


def _compare(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    asked = parameters(request, *ASKED)
    named = [name.strip() for name in (asked["projects"] or "").split(",") if name.strip()]
    named += [asked["add"]] if asked["add"] else []
    if len(named) > MOST:
        raise Problem(400, f"{len(named)} projects are named; name at most {MOST}.", parameter="projects")
    found = {row["project_id"]: row for row in (entity(bundle, "project", name) for name in named)}
    question = Question(
        tuple(_name(bundle, row) for row in found.values()),
        asked["metric"] or _usual(bundle),
        asked["scale"],
        asked["mode"],
    )
    if "add" in request.query_params:  # from the form; what is shown has an address without it
        return RedirectResponse(question.address(), 303)
    metric = one_metric(bundle, "project", question.metric)
    if metric["window"] == "over_all_time":
        raise Problem(400, "A metric over all time has one number and no days to compare; choose another window.")
    points = series(bundle, "project", [*found], {metric["metric_id"]: None}) if found else {}
    lines = [Series(row["display_name"], points[key][metric["metric_id"]]) for key, row in found.items()]
    drawn, common = indexed(lines) if question.mode == "indexed" else (lines, None)
    title = f"{metric['display_name']} {each(metric['window'])}"
    unit = "index" if common else metric["unit"]
    how = {
        "kind": "line" if len(lines) > 1 else shape(metric),
        "scale": question.scale,
        "notes": changes(bundle, metric),
    }
    svg = chart(drawn, unit=unit, title=title, height=360, **how) if found else ""
    return page(
        request,
        "compare.html",
        about=f"{title} of {', '.join(line.label for line in lines)}" if lines else "Compare 2 to 10 projects.",
        question=question,
        metric=metric,
        title=title,
        svg=svg,
        common=common,
        unit=unit,
        rows=[
            {
                "name": _name(bundle, row),
                "display_name": row["display_name"],
                "address": address(bundle, "project", row),
                "last": next((point for point in reversed(line.points) if point.known), None),
            }
            for row, line in zip(found.values(), lines, strict=True)
        ],
        table=_table(drawn),
        choices=_choices(bundle, metric),
        windows=_windows(bundle, metric),
        most=MOST,
    )


def _usual(bundle: Bundle) -> str:
    """The metric that is compared where none is named: USUAL, or the first of projects where a release lacks it."""
    names = [
        row["metric_name"]
        for row in known(bundle).metrics.values()
        if "project" in row["levels"] and row["window"] != "over_all_time"
    ]
    if not names:
        raise Problem(404, "This release has no metric of projects over days, so there is nothing to compare.")
    return USUAL if USUAL in names else names[0]


def _name(bundle: Bundle, row: dict) -> str:
    return unquote(address(bundle, "project", row).rpartition("/")[2])


def _table(lines: list[Series]) -> list[tuple[date, list[Point | None]]]:
    """A row for each day, the newest first, with the point of each line; None where a line has no such day."""
    by_day = [{point.day: point for point in line.points} for line in lines]
    return [(day, [points.get(day) for points in by_day]) for day in sorted({*(d for p in by_day for d in p)})[::-1]]


def _choices(bundle: Bundle, chosen: dict) -> list[dict]:
    """The metrics that can be chosen: those of a project's page over 30 days, and the one that is chosen."""
    wanted = {name for section in SECTIONS.values() for name in section[3]}
    found = [
        row
        for row in known(bundle).metrics.values()
        if row["metric_id"] == chosen["metric_id"]
        or ("project" in row["levels"] and row["metric"] in wanted and row["window"] == "over_30_day_period")
    ]
    return sorted(found, key=lambda row: (row["metric_source"], row["display_name"]))


def _windows(bundle: Bundle, chosen: dict) -> list[dict]:
    order = ("daily", "weekly", "monthly", "quarterly", "yearly")
    order += tuple(f"over_{days}_day_period" for days in (30, 90, 180))
    found = {
        row["window"]: row
        for row in known(bundle).metrics.values()
        if row["metric"] == chosen["metric"] and row["metric_source"] == chosen["metric_source"]
    }
    return [found[window] for window in order if window in found]
