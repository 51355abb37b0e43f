"""Badges: the newest number of a metric as a small picture, and as JSON for shields.io."""

from datetime import timedelta
from unicodedata import east_asian_width

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumer.charts import days, exact, short
from consumer.charts.svg import FONT, THEMES, element
from consumer.rest.endpoint import Parameter
from consumer.site.words import window
from consumer.widgets.asked import THEME, Shown, parameters, shown

STYLE = Parameter("style", "Form", default="flat", allowed=("flat", "flat-square", "for-the-badge"))
STALE = timedelta(days=7)  # from a number's last day to the release's publication
NARROW, WIDE = " .,:;|!'ijlrtfI1()[]-", "mwMWGOQD@%&"
LONGEST = 60


def routes() -> list[Route]:
    """The routes of badges."""
    path = "/badges/{kind}/{name:path}/{metric_name}"
    return [Route(f"{path}.svg", _badge), Route(f"{path}.json", _shields)]


def badge(label: str, value: str, told: str, *, quality: str, stale: bool, style: str, theme: str) -> Markup:
    """A badge of two texts; `told` is the whole of it in words. What is stale or unknown is grey."""
    tall = style == "for-the-badge"
    if tall:
        label, value = label.upper(), value.upper()
    size, height, edge = (10, 28, 12) if tall else (11, 20, 6)
    label, value = _cut(label), _cut(value)
    left, right = (round(_width(text, size, tall)) for text in (label, value))
    hatch = 6 if quality == "partial" else 0
    middle, width = left + 2 * edge, left + right + 4 * edge + hatch
    colours = THEMES[theme]
    main = colours["muted"] if stale or quality == "unknown" else colours["series"][0]
    box = {
        "height": height - 1,
        "stroke": colours["line"],
        "fill": colours["page"],
        "rx": 3 if style == "flat" else None,
    }
    baseline = height / 2 + size * 0.36
    parts = [
        element("title", told),
        element("rect", x=0.5, y=0.5, width=width - 1, **box),
        element("path", d=f"M{middle}.5 1V{height - 1}", stroke=colours["line"]),
        element("text", label, x=edge, y=baseline, textLength=left, fill=colours["ink"]),
        element("text", value, x=middle + edge, y=baseline, textLength=right, fill=main, font_weight=600),
    ]
    if hatch:
        strokes = "".join(f"M{width - 7} {y}l6-6" for y in range(7, height + 5, 4))
        parts.append(element("path", d=strokes, stroke=colours["warn"], stroke_width=1.4))
    outer = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "role": "img"}
    return element(
        "svg",
        *parts,
        **outer,
        width=width,
        height=height,
        aria_label=told,
        font_family=f"Verdana, {FONT}",
        font_size=size,
    )


def _said(asked: Shown) -> dict:
    """What a badge shows: label, value, all of it in words (told), quality, and whether it is stale."""
    metric, row = asked.metric, asked.number()
    label = metric["display_name"].lower()
    label += f", {window(metric['window'])}" if metric["window"].startswith("over_") else ""
    if row is None or row["amount"] is None or row["quality"] == "unknown":
        told = f"{asked.name}, {label}: unknown; nothing that this number needs was seen"
        return {"label": label, "value": "unknown", "told": told, "quality": "unknown", "stale": False}
    value, day = short(row["amount"], row["unit"]), row["sample_date"]
    told = f"{asked.name}, {label}: {exact(row['amount'], row['unit'])}, {row['quality']}, as of {days.in_words(day)}"
    stale = asked.bundle.published_at.date() - day > STALE
    value += f" as of {day.isoformat()}" if stale else ""
    return {"label": label, "value": value, "told": told, "quality": row["quality"], "stale": stale}


def _badge(request: Request) -> Response:
    asked = parameters(request, STYLE, THEME)
    drawn = badge(**_said(shown(request)), style=asked["style"], theme=asked["theme"])
    return Response(drawn, media_type="image/svg+xml")


def _shields(request: Request) -> Response:
    parameters(request)
    said = _said(shown(request))
    colour = "lightgrey" if said["stale"] or said["quality"] == "unknown" else THEMES["light"]["series"][0][1:]
    message = f"{said['value']} (partial)" if said["quality"] == "partial" else said["value"]
    return JSONResponse({"schemaVersion": 1, "label": said["label"], "message": message, "color": colour})


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _width(text: str, size: int, spaced: bool) -> float:
    """About as wide as the text is in Verdana; the badge then gives it exactly this width."""
    share = sum(
        1.0 if east_asian_width(one) in "WF" else 0.4 if one in NARROW else 0.86 if one in WIDE else 0.63
        for one in text
    )
    return max(size * share + spaced * len(text), 1)
