"""Pictures for link previews (Open Graph): what is shared, three of its numbers, and how far to trust them."""

import textwrap

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.charts import days, short, sparkline
from consumer.charts.svg import FONT, THEMES, element
from consumer.problems import Problem
from consumer.rest.entities import KINDS, find
from consumer.series import series
from consumer.site.numbers import newest, strip
from consumer.site.words import window
from consumer.widgets.asked import Shown, parameters
from consumer.widgets.png import png

WIDTH, HEIGHT, EDGE = 1200, 630, 72
SHOWN = 3


def routes() -> list[Route]:
    """The route of preview pictures."""
    return [Route("/og/{kind}/{name:path}.png", _preview)]


def preview(name: str, about: str, numbers: list[dict], foot: str) -> str:
    """The picture as SVG. A number has label, value, said (its quality and day) and spark, a drawing or ""."""
    colours = THEMES["light"]
    parts = [
        element("rect", width=WIDTH, height=HEIGHT, fill=colours["page"]),
        element("rect", width=WIDTH, height=10, fill=colours["series"][0]),
    ]
    y = EDGE + 60
    for line in _wrapped(name, 30, 2):
        parts.append(element("text", line, x=EDGE, y=y, font_size=60, font_weight=600, fill=colours["ink"]))
        y += 70
    y -= 14
    for line in _wrapped(about, 74, 2):
        parts.append(element("text", line, x=EDGE, y=y, font_size=28, fill=colours["muted"]))
        y += 38
    across = (WIDTH - 2 * EDGE) // SHOWN
    for place, number in enumerate(numbers[:SHOWN]):
        x = EDGE + place * across
        for at, size, role, key in ((372, 24, "muted", "label"), (438, 56, "ink", "value"), (472, 20, "muted", "said")):
            bold = 600 if key == "value" else None
            parts.append(element("text", number[key], x=x, y=at, font_size=size, font_weight=bold, fill=colours[role]))
        parts.append(element("g", number["spark"], transform=f"translate({x - 8} 482) scale(2.2)"))
    if not numbers:
        parts.append(element("text", "Nothing is measured yet.", x=EDGE, y=400, font_size=32, fill=colours["muted"]))
    parts.append(element("path", d=f"M{EDGE} 560H{WIDTH - EDGE}", stroke=colours["line"], stroke_width=2))
    parts.append(element("text", foot, x=EDGE, y=598, font_size=22, fill=colours["muted"]))
    box = {"width": WIDTH, "height": HEIGHT, "viewBox": f"0 0 {WIDTH} {HEIGHT}", "font_family": FONT}
    return element("svg", *parts, xmlns="http://www.w3.org/2000/svg", **box)


def _preview(request: Request) -> Response:
    parameters(request)
    bundle: Bundle = request.state.bundle
    kind = request.path_params["kind"]
    if kind not in KINDS:
        raise Problem(404, f"There are no pictures of {kind[:40]!r}.", candidates=list(KINDS))
    of = Shown(bundle, kind, find(bundle, kind, request.path_params["name"]), {})
    rows = [(label, row) for label, row in strip(newest(bundle, kind, of.entity_id)) if row]
    rows.sort(key=lambda row: row[1]["amount"] is None)
    keys = {row["metric_id"]: None for _, row in rows[:SHOWN] if row["window"] != "over_all_time"}
    points = series(bundle, kind, [of.entity_id], keys)[of.entity_id] if keys else {}
    about = of.entity.get("description") or ""
    foot = f"OpenImpact · {of.entity[f'{kind}_name']} · release of {days.in_words(bundle.published_at.date())}"
    numbers = [_number(label, row, points.get(row["metric_id"], [])) for label, row in rows[:SHOWN]]
    return Response(png(preview(of.name, about, numbers, foot)), media_type="image/png")


def _number(label: str, row: dict, points: list) -> dict:
    known = row["amount"] is not None
    over = window(row["window"]) if row["window"].startswith("over_") else "in all"
    return {
        "label": f"{label}, {over}",
        "value": short(row["amount"], row["unit"]) if known else "unknown",
        "said": f"{row['quality']}, as of {days.in_words(row['sample_date'])}" if known else "not measured",
        "spark": sparkline(points, row["unit"], theme="light") if any(point.known for point in points) else "",
    }


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width, max_lines=most, placeholder="…")
