"""The site's own files, each under an address that holds its checksum, so that browsers may keep it for good."""

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.problems import Problem

FOLDER = Path(__file__).parent / "static"
FILES = {
    str(file.relative_to(FOLDER)): file.read_bytes()
    for file in sorted(FOLDER.rglob("*"))
    if file.suffix in (".css", ".js", ".svg", ".woff2")
}
SUMS = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in FILES.items()}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def static(name: str) -> str:
    """The address of a file of static/."""
    return f"/static/{SUMS[name]}/{name}"


def routes() -> list[Route]:
    """The route of all files."""
    return [Route("/static/{sum}/{name:path}", _file)]


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if SUMS.get(name) != request.path_params["sum"]:
        raise Problem(404, "There is no such file in this version of the site; load the page again.")
    return Response(FILES[name], media_type=mimetypes.guess_type(name)[0], headers=FOREVER)
