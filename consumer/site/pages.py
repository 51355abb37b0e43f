"""How a page is made: a template, what every page shows beside (release, as-of days, navigation), and the filters."""

from pathlib import Path
from urllib.parse import quote

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from consumer.site import words
from consumer.site.static import FILES, static

NAV = (
    ("/projects", "Projects"),
    ("/collections", "Collections"),
    ("/metrics", "Metrics"),
    ("/compare", "Compare"),
    ("/explore", "Explore"),
    ("/scores", "Scores"),
    ("/data", "Data"),
    ("/status", "Status"),
)
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEMPLATES.filters |= {
    "exact": words.exact,
    "plain": words.plain,
    "short": words.short,
    "change": words.change,
    "seen": words.seen,
    "source": words.source,
    "window": words.window,
    "each": words.each,
    "date": words.day,
    "moment": words.moment,
    "link": words.link,
    "clean": words.clean,
    "host": words.host,
    "segment": lambda text: quote(str(text), safe=""),
}
TEMPLATES.globals |= {
    "static": static,
    "nav": NAV,
    "about": "",
    "here": None,
    "card": None,
    "feed": None,
    "stylesheets": [name for name in FILES if name.endswith(".css") and "/" not in name and name != "site.css"],
}


def origin(request: Request) -> str:
    """Scheme and host under which the site was asked, for the places that need a whole address."""
    return str(request.base_url).rstrip("/")


def page(request: Request, template: str, status: int = 200, headers: dict | None = None, **values) -> HTMLResponse:
    """The page of a template; beside `values` it has release, published_at, as_of, status and path."""
    bundle = getattr(request.state, "bundle", None)
    values |= {
        "status": status,
        "release": bundle and bundle.release_id,
        "published_at": bundle and bundle.published_at,
        "as_of": bundle.as_of if bundle else {},
        "path": request.url.path,
        "origin": origin(request),
    }
    return HTMLResponse(TEMPLATES.get_template(template).render(values), status, headers)
