"""A line of 120 by 28 pixels for tables and cards."""

from markupsafe import Markup

from consumer.charts import days
from consumer.charts.numbers import short
from consumer.charts.points import Point, known, runs, thin
from consumer.charts.svg import colour, element

WIDTH, HEIGHT, EDGE = 120, 28, 4


def sparkline(points: list[Point], unit: str = "count", theme: str | None = None) -> Markup:
    """The points as a line with a dot at the smallest and the largest, dashed where partial, broken where unknown."""
    numbers = known(points)
    if not numbers:
        return _svg("not measured", [element("path", d="M4 24H116", stroke_dasharray="1.5 3")], "c-unknown", theme)
    low, high = min(numbers, key=_amount), max(numbers, key=_amount)
    first, span = points[0].day, (points[-1].day - points[0].day).days

    def at(point: Point) -> tuple[float, float]:
        across = (point.day - first).days / span if span else 0.5
        up = (point.amount - low.amount) / (high.amount - low.amount) if high.amount > low.amount else 0.5
        return round(EDGE + across * (WIDTH - 2 * EDGE), 1), round(HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE), 1)

    parts = []
    for dashed, run in runs(thin(points, WIDTH)):
        if len(run) == 1:
            x, y = at(run[0])
            parts.append(element("circle", cx=x, cy=y, r=1, fill="currentColor"))
            continue
        d = "M" + "L".join("{:g} {:g}".format(*at(point)) for point in run)
        parts.append(element("path", d=d, stroke_dasharray="2.5 2" if dashed else None))
    for end in (low, high):
        x, y = at(end)
        parts.append(element("circle", cx=x, cy=y, r=2, fill="currentColor"))
    last = numbers[-1]
    label = (
        f"{short(low.amount, unit)} to {short(high.amount, unit)},"
        f" last {short(last.amount, unit)} on {days.in_words(last.day)}, {last.quality}"
    )
    return _svg(label, parts, "c-accent", theme)


def _svg(label: str, parts: list[Markup], role: str, theme: str | None) -> Markup:
    drawn = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5, "stroke_linejoin": "round"}
    size = {"width": WIDTH, "height": HEIGHT, "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    named = {"role": "img", "aria_label": label}
    standalone = {"xmlns": "http://www.w3.org/2000/svg"} if theme else {}
    return element("svg", *parts, **standalone, **size, **drawn, **colour(role, theme), **named)


def _amount(point: Point) -> float:
    return point.amount
