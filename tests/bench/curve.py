"""A measured curve as an SVG for docs/: lines on paper, the axis from zero, the last value at each line's end."""

from dataclasses import dataclass
from html import escape
from math import floor, log10
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 48, 130, 44, 40  # pixels
TICKS = 4
LABEL = 15  # pixels that one label takes
INKS = ("#0B6E6E", "#C2410C", "#5B4BB7", "#946C00", "#1D6FB8", "#6B7280")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 3", "12 4")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Named lines of (x, y) points, `x` and `y` in the units that the title and `across` say."""

    name: str
    title: str
    across: str
    lines: dict[str, list[tuple[float, float]]]

    def write(self, folder: Path) -> Path:
        """Writes <name>.svg into the folder; returns its path."""
        path = folder / f"{self.name}.svg"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(self.svg())
        return path

    def svg(self) -> str:
        """The picture; it needs a line of two points at least."""
        points = [point for line in self.lines.values() for point in line]
        most_x, highest = (max(values) for values in zip(*points, strict=True))
        unit = 10 ** (floor(log10(highest)) - 1)
        step = next(unit * n for n in (2.5, 5, 10, 20, 25) if unit * n * TICKS >= highest)
        most_y = step * TICKS
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

        def at(x: float, y: float) -> tuple[float, float]:
            return LEFT + (right - LEFT) * x / most_x, bottom - (bottom - TOP) * y / most_y

        parts = [f'<text x="0" y="16" font-size="15" fill="#1B2430">{escape(self.title)}</text>']
        for tick in range(TICKS + 1):
            _, y = at(0, step * tick)
            parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#DAD7CF"/>')
            parts.append(_text(LEFT - 6, y + 4, f"{step * tick:g}", anchor="end"))
        for x in sorted({x for x, _ in points}):
            parts.append(_text(at(x, 0)[0], bottom + 16, f"{x:g}"))
        parts.append(_text((LEFT + right) / 2, HEIGHT - 6, self.across))
        free = HEIGHT
        by_end = sorted(enumerate(self.lines.items()), key=lambda entry: entry[1][1][-1][1])
        for number, (name, line) in by_end:
            places = [at(*point) for point in line]
            ink, dash = INKS[number % len(INKS)], DASHES[number % len(DASHES)]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            parts.append(f'<path d="M{path}" fill="none" stroke="{ink}" stroke-width="2" stroke-dasharray="{dash}"/>')
            free = min(places[-1][1] + 4, free - LABEL)  # labels one above the other
            last = line[-1][1]
            label = f"{name} {last:,.0f}" if last >= 100 else f"{name} {last:.3g}"
            parts.append(_text(places[-1][0] + 8, free, label, anchor="start", ink=ink))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#FBFAF7"/>\n'
            + "\n".join(parts)
            + "\n</svg>\n"
        )


def _text(x: float, y: float, text: str, *, anchor: str = "middle", ink: str = "#55606E") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{ink}" text-anchor="{anchor}">{escape(text)}</text>'
