"""From the address of a widget to what it shows: one metric of one entity."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from consumer.bundle import Bundle
from consumer.charts import Point, Series, chart
from consumer.problems import Problem
from consumer.rest.answers import KEY_METRIC
from consumer.rest.endpoint import Parameter
from consumer.rest.entities import KINDS, find, metrics
from consumer.series import changes, series
from consumer.site.words import each

THEME = Parameter("theme", "Colours", default="light", allowed=("light", "dark"))
FROM = Parameter("from", "First day, included", "date")
TO = Parameter("to", "Last day, included", "date")


def parameters(request: Request, *known: Parameter) -> dict[str, Any]:
    """The values of the query by name; those not given, or left empty as forms do, have their default.

    Raises:
        Problem: 400, an unknown, repeated or wrong parameter; the answer says which are allowed.
    """
    values = {parameter.name: parameter.default for parameter in known}
    parse = {parameter.name: parameter.parse for parameter in known}
    seen = set()
    for name, text in request.query_params.multi_items():
        if name == "release" or (name in parse and not text):
            continue
        if name not in parse or name in seen:
            said = "is given twice; give it once" if name in seen else "is not known here"
            raise Problem(400, f"The parameter {name[:40]!r} {said}.", allowed=[*parse, "release"])
        seen.add(name)
        values[name] = parse[name](text)
    return values


@dataclass(frozen=True)
class Shown:
    """One metric of one entity: its rows of the release."""

    bundle: Bundle
    kind: str
    entity: dict
    metric: dict

    @property
    def entity_id(self) -> str:
        return self.entity[f"{self.kind}_id"]

    @property
    def name(self) -> str:
        """The entity as people call it."""
        if self.kind != "artifact":
            return self.entity["display_name"] or self.entity[f"{self.kind}_name"]
        return "/".join(part for part in (self.entity["artifact_namespace"], self.entity["artifact_name"]) if part)

    @property
    def title(self) -> str:
        """Metric and window in words, such as Commits per week."""
        return f"{self.metric['display_name']} {each(self.metric['window'])}"

    def number(self) -> dict | None:
        """The newest number: amount, unit, sample_date, quality, coverage; None where this window has none."""
        rows = self.bundle.rows(
            f"select {KEY_METRIC} from oso.key_metrics_by_{self.kind}_v1 where {self.kind}_id = ? and metric_id = ?",
            [self.entity_id, self.metric["metric_id"]],
        )
        return rows[0] if rows else None

    def points(self, asked: dict[str, Any] | None = None) -> list[Point]:
        """The series, from day `from` to day `to` where `asked` has them."""
        asked = asked or {"from": None, "to": None}
        key = self.metric["metric_id"]
        found = series(self.bundle, self.kind, [self.entity_id], {key: asked["from"]})[self.entity_id][key]
        return [point for point in found if asked["to"] is None or point.day <= asked["to"]]

    def drawing(self, points: list[Point], theme: str | None, **size: int) -> str:
        """The chart of `points`; a picture of its own names the entity in its title."""
        title = f"{self.name}: {self.title}" if theme else self.title
        return chart(
            [Series(self.name, points)],
            unit=self.metric["unit"],
            kind=shape(self.metric),
            title=title,
            notes=changes(self.bundle, self.metric),
            theme=theme,
            **size,
        )


def shape(metric: dict) -> str:
    """How a metric is drawn: bars where it counts calendar windows, else a line."""
    return "line" if metric["row_class"] in ("R", "K") or metric["window"].startswith("over_") else "bar"


def shown(request: Request) -> Shown:
    """What the path's kind, name and metric_name mean.

    Raises:
        Problem: 404, there is no such kind or entity; 400, the metric is none of its kind or the name is of several.
    """
    bundle, path = request.state.bundle, request.path_params
    if path["kind"] not in KINDS:
        raise Problem(404, f"There are no widgets of {path['kind'][:40]!r}.", candidates=list(KINDS))
    found = find(bundle, path["kind"], path["name"])
    return Shown(bundle, path["kind"], found, one_metric(bundle, path["kind"], path["metric_name"]))


def one_metric(bundle: Bundle, kind: str, text: str) -> dict:
    """The one metric that is called `text`.

    Raises:
        Problem: 400, there is none or there are several; the answer lists what is possible.
    """
    found = metrics(bundle, text, kind)
    if len(found) > 1:
        names = [row["metric_name"] for row in found]
        raise Problem(400, f"{text[:80]!r} names several metrics; name one in full.", allowed=names)
    return found[0]
