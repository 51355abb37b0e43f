"""Lines and bars over days, with an axis, the last value at the end, and the quality of every number."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import log10
from typing import Literal
from zlib import crc32

from markupsafe import Markup

from consumer.charts import days
from consumer.charts.numbers import exact, log_ticks, short, ticks
from consumer.charts.points import Point, Series, gaps, known, runs, thin
from consumer.charts.svg import FONT, SERIES, colour, element

LEFT, RIGHT, RIGHT_NAMED = 52, 64, 152  # beside the plot; the stylesheet has them too, as padding
TITLE, NOTE, AXIS, LINE = 36, 18, 40, 18
TEXT = 13
NAME_LENGTH = 14
FEW = 120  # up to so many points each tells its own number
MARKS = ("circle", "square", "diamond", "triangle")


def chart(
    series: list[Series],
    *,
    unit: str,
    kind: Literal["line", "bar"],
    scale: Literal["linear", "log"] = "linear",
    title: str,
    notes: dict[date, str] | None = None,
    theme: Literal["light", "dark"] | None = None,
    width: int = 720,
    height: int = 260,
) -> Markup:
    """The chart as SVG, safe to put into a page as it is.

    Without a theme it is as wide as what it stands in, coloured by the site's stylesheet, and the page writes the
    title; with one it is a picture of its own, with title, page and literal colours. `notes` are dated vertical notes,
    such as where a source changed; those of days that the chart spans are in it. On a log scale what is not above zero
    is a gap, and the chart says so.
    """
    asked = series
    spanned = [point.day for one in series for point in one.points]
    notes = {day: said for day, said in (notes or {}).items() if spanned and min(spanned) <= day <= max(spanned)}
    if scale == "log":
        series = [Series(one.label, [_above_zero(point) for point in one.points]) for one in series]
    words = _key(asked, series, kind)
    top = (TITLE if theme else 14) + (NOTE if notes else 0)
    size = _Size(
        width=width - LEFT - (RIGHT_NAMED if len(series) > 1 else RIGHT),
        height=height - top - AXIS - LINE * len(words),
        theme=theme,
        unit=unit,
    )
    inside = _inside(asked, series, size, kind, scale, notes)
    label = " ".join(
        [_in_words(title, asked, unit, kind, scale), *(f"{_told(*one)}." for one in sorted(notes.items()))]
    )
    plot = element(
        "svg",
        *inside,
        x=LEFT if theme else 0,
        y=top,
        width=size.width if theme else "100%",
        height=size.height,
        overflow="visible",
    )
    below = [
        size.text(line, "c-muted", x=LEFT if theme else 0, y=height - LINE * (len(words) - place) + 12.0)
        for place, line in enumerate(words)
    ]
    if not theme:  # the space beside the plot is the stylesheet's padding, so that it keeps its size on any screen
        name = "chart c-named" if len(series) > 1 else "chart"
        return element("svg", plot, *below, class_=name, width="100%", height=height, role="img", aria_label=label)
    return element(
        "svg",
        element("rect", width="100%", height="100%", fill="currentColor", **colour("c-page", theme)),
        size.text(title, "c-axis", x=LEFT, y=20, font_size=15, font_weight=600),
        plot,
        *below,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        font_family=FONT,
        font_size=TEXT,
        role="img",
        aria_label=label,
    )


@dataclass(frozen=True)
class _Size:
    """The plot in pixels as it is drawn; in a page its width is stretched, so that places across are shares of it."""

    width: int
    height: int
    theme: str | None
    unit: str

    def text(self, words: str, role: str, **attributes) -> Markup:
        return element("text", words, fill="currentColor", **colour(role, self.theme), **attributes)

    def stretched(self, *inside: Markup) -> Markup:
        """What is drawn in pixels of `width`, made as wide as the plot is."""
        box = {"width": "100%", "height": self.height, "viewBox": f"0 0 {self.width} {self.height}"}
        return element("svg", *inside, preserveAspectRatio="none", overflow="visible", **box)


@dataclass(frozen=True)
class _Axes:
    """Where a day is across, as a share of the width, and an amount from the top, in pixels."""

    first: date
    days: int
    low: float
    high: float
    steps: list[float]
    log: bool
    height: int
    bar: int  # days that a bar spans
    ends: tuple[date, date]  # the first and the last day with a point

    @classmethod
    def of(cls, series: list[Series], numbers: list[Point], size: _Size, kind: str, scale: str) -> "_Axes":
        all_days = sorted({point.day for one in series for point in one.points})
        bar = min(((b - a).days for a, b in pairwise(all_days)), default=1) if kind == "bar" else 0
        first, spans = all_days[0], (all_days[-1] - all_days[0]).days + bar
        ends = first, all_days[-1]
        if spans == bar:
            first, spans = first - timedelta(days=1), 2 + bar
        low, high = min(point.amount for point in numbers), max(point.amount for point in numbers)
        if scale == "log":
            steps = log_ticks(low, high)
        else:
            # a bar begins at zero; a line does unless that would flatten it
            if kind == "bar" or not 0 < high / 2 < low and not high < low / 2 < 0:
                low, high = min(low, 0), max(high, 0)
            if low == high:
                low, high = (low, low + 1) if low == 0 else sorted((0, low))
            steps = ticks(low, high, size.unit)
        return cls(first, spans, steps[0], steps[-1], steps, scale == "log", size.height, bar, ends)

    def x(self, day: date) -> float:
        return (day - self.first).days / self.days

    def y(self, amount: float) -> float:
        low, high = (log10(self.low), log10(self.high)) if self.log else (self.low, self.high)
        share = ((log10(amount) if self.log else amount) - low) / (high - low)
        return round(self.height * (1 - share), 2)


def _inside(
    asked: list[Series], series: list[Series], size: _Size, kind: str, scale: str, notes: dict[date, str]
) -> list[Markup]:
    """All that lies on the plot; `asked` are the series before a log scale left points out."""
    numbers = [point for one in series for point in known(one.points)]
    if not numbers:
        said = "Not measured." if any(one.points for one in asked) else "There are no numbers yet."
        return [size.text(said, "c-muted", x="50%", y=size.height / 2, text_anchor="middle")]
    axes = _Axes.of(series, numbers, size, kind, scale)
    inside = [*_grid(axes, size, 4 if len(series) == 1 else 3), *_notes(notes, axes, size)]
    for place, one in enumerate(asked):
        inside += _unknown(one.points, place, len(asked), axes, size)
    for place, one in enumerate(series):
        inside += (_bars if kind == "bar" else _lines)(one, place, len(series), axes, size)
    return inside + _ends(series, axes, size)


def _grid(axes: _Axes, size: _Size, most_days: int) -> list[Markup]:
    parts = []
    for step in axes.steps:
        y = axes.y(step)
        role = "c-muted" if step == 0 else "c-grid"
        parts.append(element("line", x2="100%", y1=y, y2=y, stroke="currentColor", **colour(role, size.theme)))
        parts.append(size.text(short(step, size.unit), "c-muted", x=-8, y=y + 4, text_anchor="end"))
    for day, label, year in days.ticks(*axes.ends, most_days, axes.bar or 1):
        x = _percent(axes.x(day) + axes.bar / axes.days / 2)
        parts.append(size.text(label, "c-muted", x=x, y=size.height + 18, text_anchor="middle"))
        if year:
            parts.append(size.text(year, "c-muted", x=x, y=size.height + 34, text_anchor="middle"))
    return parts


def _notes(notes: dict[date, str], axes: _Axes, size: _Size) -> list[Markup]:
    parts = []
    for day, words in sorted(notes.items()):
        x = axes.x(day)
        at = {"x1": _percent(x), "x2": _percent(x), "y1": -4.0, "y2": size.height}
        rule = element("line", stroke="currentColor", stroke_dasharray="1 3", **at)
        said = size.text(_cut(words, 32), "c-muted", x=_percent(x), y=-8, text_anchor="end" if x > 0.5 else "start")
        told = element("title", _told(day, words))
        parts.append(element("g", told, rule, said, **colour("c-muted", size.theme)))
    return parts


def _told(day: date, note: str) -> str:
    return f"{days.in_words(day)}: {note}"


def _lines(one: Series, place: int, of: int, axes: _Axes, size: _Size) -> list[Markup]:
    points = thin(one.points, size.width)
    paths, dots = [], []
    for dashed, run in runs(points):
        at = [f"{axes.x(point.day) * size.width:.1f} {axes.y(point.amount)}" for point in run]
        if len(run) == 1:
            dots.append(element("circle", cx=_percent(axes.x(run[0].day)), cy=axes.y(run[0].amount), r=2.5))
            continue
        dashes = "4 4" if dashed else None
        paths.append(element("path", d="M" + "L".join(at), stroke_dasharray=dashes, vector_effect="non-scaling-stroke"))
    parts = [size.stretched(*paths)] if paths else []
    if len(one.points) * of <= FEW:
        dots += [
            element(
                "circle",
                element("title", _tip(one, point, of, size.unit)),
                cx=_percent(axes.x(point.day)),
                cy=axes.y(point.amount),
                r=8,
                fill="none",
                pointer_events="all",
            )
            for point in known(points)
        ]
    drawn = {
        "fill": "none",
        "stroke": "currentColor",
        "stroke_width": 2 if len(points) < size.width / 2 else 1.2,
        "stroke_linejoin": "round",
    }
    drawn |= colour(SERIES[place % len(SERIES)], size.theme)
    return [element("g", *parts, **drawn), element("g", *dots, **_filled(place, size))]


def _bars(one: Series, place: int, of: int, axes: _Axes, size: _Size) -> list[Markup]:
    points = one.points
    share = axes.bar / axes.days
    if share * size.width < 2:  # no room for each: the largest of the bars that share two pixels stand for them
        points = _extremes(points, axes, size.width // 2)
        share = 2 / size.width
    few = len(points) * of <= FEW
    wide = share / of * (0.8 if share * size.width >= 4 else 1)
    hatch = f"h{crc32(repr((one, place, size)).encode()):08x}"
    parts, partial = [], False
    for point in known(points):
        ends = sorted((axes.y(point.amount), axes.y(0)))
        partial = partial or point.quality == "partial"
        parts.append(
            element(
                "rect",
                *([element("title", _tip(one, point, of, size.unit))] if few else []),
                x=_percent(axes.x(point.day) + share * place / of + (share / of - wide) / 2),
                y=ends[0],
                width=_percent(wide),
                height=round(ends[1] - ends[0], 2),
                fill=f"url(#{hatch})" if point.quality == "partial" else None,
            )
        )
    if partial:  # resvg draws a tile that is turned four times slower
        stripes = element("path", d="M-1 1L1-1M0 4L4 0M3 5L5 3", stroke="currentColor", stroke_width=1.4)
        parts.insert(0, element("pattern", stripes, id=hatch, width=4, height=4, patternUnits="userSpaceOnUse"))
    return [element("g", *parts, **_filled(place, size))]


def _extremes(points: list[Point], axes: _Axes, columns: int) -> list[Point]:
    """Of the points of a column the largest above zero and the smallest below, all as good as the worst of them."""
    grouped: dict[int, list[Point]] = {}
    for point in points:
        grouped.setdefault(int(axes.x(point.day) * columns), []).append(point)
    kept = []
    for group in grouped.values():
        numbers = sorted(known(group), key=lambda point: point.amount)
        worst = "partial" if any(point.quality == "partial" for point in numbers) else "ok"
        ends = numbers[-1:] + [point for point in numbers[:1] if point.amount < 0 and numbers[1:]]
        kept += [Point(point.day, point.amount, worst) for point in ends]
    return kept


def _unknown(points: list[Point], place: int, of: int, axes: _Axes, size: _Size) -> list[Markup]:
    """A dotted mark on the ground of every gap; with several series each has its own line of them."""
    role, y = (
        (SERIES[place % len(SERIES)], size.height - 2.0 - 4 * place) if of > 1 else ("c-unknown", size.height - 2.0)
    )
    parts = []
    for first, last in gaps(points):
        start, end = axes.x(first), axes.x(last + timedelta(days=axes.bar))
        if end == start:
            start, end = max(start - 3 / size.width, 0), min(start + 3 / size.width, 1)
        until = "" if first == last else f" to {days.in_words(last)}"
        title = element("title", f"not measured: {days.in_words(first)}{until}")
        parts.append(element("line", title, x1=_percent(start), x2=_percent(end), y1=y, y2=y))
    drawn = {"stroke": "currentColor", "stroke_width": 3, "stroke_dasharray": "2 3"}
    return [element("g", *parts, **drawn, **colour(role, size.theme))] if parts else []


def _ends(series: list[Series], axes: _Axes, size: _Size) -> list[Markup]:
    """The last value of each series at its end; where several would overlap they are moved apart."""
    ended = []
    for place, one in enumerate(series):
        if numbers := known(one.points):
            ended.append((axes.y(numbers[-1].amount), place, one.label, numbers[-1]))
    ended.sort(key=lambda end: end[:2])
    line = min(float(TEXT + 2), size.height / max(len(ended), 1))
    ys, floor = [], -line
    for y, *_ in ended:
        floor = max(floor + line, min(y, size.height))
        ys.append(floor)
    ceiling = size.height + line
    for place in reversed(range(len(ys))):
        ceiling = ys[place] = min(ys[place], ceiling - line)
    parts = []
    for y, (at, place, label, point) in zip(ys, ended, strict=True):
        role = SERIES[place % len(SERIES)]
        value = short(point.amount, size.unit)
        words = f"{_cut(label, NAME_LENGTH)} {value}" if len(series) > 1 else value
        if not axes.bar:
            parts.append(_mark(place, _percent(axes.x(point.day)), at, size))
        told = [element("title", f"{label}: {exact(point.amount, size.unit)}")] if len(series) > 1 else []
        text = element("text", *told, words, x="100%", dx=10, y=y + 4, fill="currentColor", font_weight=600)
        parts.append(element("g", text, **colour(role, size.theme)))
    return parts


def _mark(place: int, x: str, y: float, size: _Size) -> Markup:
    """The end of a line, a shape for each series beside its colour."""
    shape = MARKS[(place + place // len(SERIES)) % len(MARKS)]
    filled = {"fill": "currentColor"} | colour(SERIES[place % len(SERIES)], size.theme)
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=3.5, **filled)
    d = {"square": "M-3.5-3.5H3.5V3.5H-3.5Z", "diamond": "M0-5L5 0L0 5L-5 0Z", "triangle": "M0-4.5L5 4H-5Z"}[shape]
    return element("svg", element("path", d=d), x=x, y=y, overflow="visible", **filled)


def _key(asked: list[Series], drawn: list[Series], kind: str) -> list[str]:
    """What the chart says about its own signs, a line each, only those that are in it."""
    points = [point for one in asked for point in one.points]
    numbers = known(points)
    signs = []
    if any(point.quality == "partial" for point in numbers):
        signs.append("Dashed: partial." if kind == "line" else "Hatched: partial.")
    if numbers and len(numbers) < len(points):
        signs.append("Dotted: not measured.")
    left_out = len(numbers) - sum(len(known(one.points)) for one in drawn)
    return ([" ".join(signs)] if signs else []) + (
        [f"{left_out} not above zero: not on a log scale."] if left_out else []
    )


def _in_words(title: str, series: list[Series], unit: str, kind: str, scale: str) -> str:
    every = [point.day for one in series for point in one.points]
    if not every:
        return f"{title}: there are no numbers yet."
    span = f"{days.in_words(min(every))} to {days.in_words(max(every))}"
    told = [f"{title}, {kind} chart{' on a log scale' if scale == 'log' else ''}, {span}."]
    for one in series:
        numbers = known(one.points)
        name = f"{one.label}: " if len(series) > 1 else ""
        if not numbers:
            told.append(f"{name}not measured.")
            continue
        last, amounts = numbers[-1], [point.amount for point in numbers]
        told.append(
            f"{name}{exact(last.amount, unit)} on {days.in_words(last.day)}, {last.quality};"
            f" from {exact(min(amounts), unit)} to {exact(max(amounts), unit)};"
            f" {_counted(one.points)}."
        )
    return " ".join(told)


def _counted(points: list[Point]) -> str:
    numbers = known(points)
    partial = sum(point.quality == "partial" for point in numbers)
    counts = ((len(numbers) - partial, "ok"), (partial, "partial"), (len(points) - len(numbers), "not measured"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def _tip(one: Series, point: Point, of: int, unit: str) -> str:
    name = f"{one.label}, " if of > 1 else ""
    return f"{name}{days.in_words(point.day)}: {exact(point.amount, unit)}, {point.quality}"


def _above_zero(point: Point) -> Point:
    return point if not point.known or point.amount > 0 else Point(point.day, None, point.quality)


def _filled(place: int, size: _Size) -> dict:
    return {"fill": "currentColor"} | colour(SERIES[place % len(SERIES)], size.theme)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
