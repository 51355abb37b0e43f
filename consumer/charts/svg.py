"""SVG as text: elements by escaping alone, and the colours of the two themes."""

import functools
import re

from markupsafe import Markup, escape

FONT = "system-ui, Inter, sans-serif"
# the stylesheet of the site has the same colours by the same names
THEMES = {
    "light": {
        "page": "#FBFAF7",
        "ink": "#1B2430",
        "muted": "#55606E",
        "line": "#DAD7CF",
        "warn": "#9A5B00",
        "series": ("#0B6E6E", "#C2410C", "#5B4BB7", "#946C00", "#1D6FB8", "#A61E4D", "#4D7C0F", "#6B7280"),
    },
    "dark": {
        "page": "#0F151D",
        "ink": "#E6EAF0",
        "muted": "#9AA7B5",
        "line": "#2A3542",
        "warn": "#E5B567",
        "series": ("#4FC3B8", "#F28C5A", "#A79BF0", "#E0BB55", "#6FB1EE", "#EE7FA2", "#A3C65A", "#A3ACB8"),
    },
}
SERIES = ("c-accent", *(f"c-{place}" for place in range(2, 9)))
_OF_CLASS = {"c-page": "page", "c-axis": "ink", "c-muted": "muted", "c-grid": "line", "c-unknown": "muted"}
_PLAIN = re.compile(r"[\w .,:;()%+*/#-]*", re.ASCII).fullmatch  # needs no escaping
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *inside: str, **attributes: str | float | None) -> Markup:
    """An element; text and attributes are escaped, None leaves an attribute out, `_` in a name stands for `-`."""
    written = "".join(f' {_attribute(key)}="{_text(value)}"' for key, value in attributes.items() if value is not None)
    content = "".join(_text(part) for part in inside)
    return Markup(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


@functools.cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def colour(role: str, theme: str | None) -> dict[str, str]:
    """The attributes that make `currentColor` that of a class: of the site's stylesheet, or the theme's own."""
    if theme is None:
        return {"class_": role}
    if role in SERIES:
        return {"color": THEMES[theme]["series"][SERIES.index(role)]}
    return {"color": THEMES[theme][_OF_CLASS[role]]}


def _text(value: str | float) -> str:
    if type(value) is Markup:
        return value
    if isinstance(value, float):
        return f"{round(value, 2) or 0.0:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, int) or (type(value) is str and _PLAIN(value)):
        return str(value)
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))
