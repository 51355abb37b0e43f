"""The read-only pages of the Airflow UI: status, lineage, data docs, runbooks. What they show is open data.

Plain GET routes over files and tables; nothing here acts, and no route takes a path.
"""

import time
from pathlib import Path
from threading import Lock

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.exceptions import HTTPException

from include import status as told
from include.errors import OpenImpactError
from include.quality.kept import kept
from include.settings import Settings, load_settings

HERE = Path(__file__).parent
RUNBOOKS = HERE.parents[1] / "docs" / "runbooks"
FRESH_S = 30  # the status is read at most so often, whoever asks
CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
# dbt's page is one file of inline scripts: it runs, in an origin of its own, and can ask no server for anything
DBT_CSP = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


def build_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` default to the environment's."""
    settings = settings or load_settings()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    current = _Fresh(lambda: told.read_status(settings))

    @app.get("/status")
    def status(request: Request) -> Response:
        """What is wrong right now."""
        return _page(request, "status.html", status=current.get(), told=told)

    @app.get("/lineage")
    def lineage(request: Request) -> Response:
        """The dbt docs of the last `python -m include docs`."""
        path = settings.dbt_target / "docs" / "static_index.html"
        if not path.is_file():
            return _page(request, "no_lineage.html")
        headers = HEADERS | {"Content-Security-Policy": DBT_CSP, "Cache-Control": "max-age=300"}  # megabytes
        return FileResponse(path, media_type="text/html", headers=headers)

    @app.get("/data-docs")
    def data_docs(request: Request) -> Response:
        """The newest validation of each source and of the release."""
        return _page(request, "data_docs.html", validations=list(kept(settings).values()))

    @app.get("/data-docs/{name}")
    def validation(request: Request, name: str) -> Response:
        """What each expectation of one of them found."""
        found = kept(settings).get(name)
        if found is None:
            raise HTTPException(404, f"Nothing named {name[:80]!r} was validated yet.")
        return _page(request, "validation.html", validation=found)

    @app.get("/runbooks")
    def runbooks(request: Request) -> Response:
        """Every runbook by name."""
        return _page(request, "runbooks.html", names=sorted(_runbooks()))

    @app.get("/runbooks/{name}")
    def runbook(request: Request, name: str) -> Response:
        """The runbook of a source, by the source's name or that of its DAG."""
        path = _runbooks().get(name.removeprefix("ingest_").removesuffix(".md"))
        if path is None:
            raise HTTPException(404, f"There is no runbook for {name[:80]!r}; the DAG's own docs say what to do.")
        text = MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text())
        return _page(request, "runbook.html", name=path.stem, body=Markup(text))  # markdown-it escaped it

    @app.get("/style.css")
    def style() -> Response:
        """The style of every page."""
        return FileResponse(HERE / "style.css", media_type="text/css", headers=HEADERS)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        text = "There is no such page." if error.detail == "Not Found" else error.detail
        return _page(request, "refused.html", error.status_code, sentence=text)

    @app.exception_handler(OpenImpactError)
    def failed(request: Request, error: OpenImpactError) -> Response:
        return _page(request, "refused.html", 503, sentence=str(error))

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        return _page(
            request, "refused.html", 500, sentence="The page could not be made; the API server's log says why."
        )

    return app


class _Fresh:
    """A value that is computed at most every FRESH_S seconds, by one thread."""

    def __init__(self, compute) -> None:
        self.compute, self.lock, self.until, self.value = compute, Lock(), 0.0, None

    def get(self):
        with self.lock:
            if time.monotonic() >= self.until:
                self.value = self.compute()
                self.until = time.monotonic() + FRESH_S
            return self.value


def _runbooks() -> dict[str, Path]:
    return {path.stem: path for path in RUNBOOKS.glob("*.md")}


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def _page(request: Request, template: str, code: int = 200, **values) -> HTMLResponse:
    html = _templates.get_template(template).render(root=request.scope.get("root_path", ""), **values)
    return HTMLResponse(html, code, headers=HEADERS | {"Content-Security-Policy": CSP})
