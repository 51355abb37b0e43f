"""The consumer API as one ASGI application."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from consumer import rest, widgets
from consumer.frame import BodyLimit, Frame, OneBundle
from consumer.graphql.api import routes as graphql
from consumer.iceberg import routes as iceberg
from consumer.keys import Keys
from consumer.limits import TIERS, Callers, Meter, Tier
from consumer.rendered import Rendered
from consumer.serving import Serving
from consumer.site.errors import error_page
from consumer.site.routes import routes as site
from consumer.sql import api as sql
from consumer.sql import trino_wire
from consumer.sql.cluster import Cluster
from consumer.sql.queries import Queries

FOLLOW_EVERY_S = 5
PACKED = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")
TOLD = ["ETag", "Retry-After", "X-Request-ID"]
TOLD += [f"RateLimit-{what}" for what in ("Limit", "Remaining", "Reset", "Policy")]
TOLD += [f"OpenImpact-{what}" for what in ("Release", "Published-At", "As-Of", "Query-Id", "Rows")]


def create_app(serving: Serving, tiers: dict[str, Tier] = TIERS) -> Starlette:
    """The application over what `serving` serves; it follows new releases while it runs."""
    meter = Meter(Keys(serving.settings.home), tiers)
    settings = serving.settings
    queries = Queries(settings.home / "sql", cluster=Cluster(settings) if settings.consumer_trino else None)

    @asynccontextmanager
    async def life(app):
        serving.follow(FOLLOW_EVERY_S)
        meter.start()
        yield
        queries.close()
        serving.close()
        meter.close()

    async def health(request):
        """The release that is served, and whether newer ones can be followed."""
        bundle = serving.bundle
        facts = {
            "release": bundle and bundle.release_id,
            "published_at": bundle and bundle.published_at.isoformat(),
        }
        return JSONResponse(facts | {"following": serving.error is None}, headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/healthz", health),
            *rest.routes(serving, meter),
            *graphql(),
            *sql.routes(queries),
            *trino_wire.routes(queries),
            *iceberg(serving.settings),
            *widgets.routes(),
            *site(serving),
        ],
        lifespan=life,
        exception_handlers={HTTPException: error_page},
        middleware=[
            Middleware(
                CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=TOLD
            ),
            Middleware(Frame, told=error_page),
            Middleware(Callers, meter=meter),
            Middleware(BodyLimit),
            Middleware(OneBundle, serving=serving),
            Middleware(Rendered, serving=serving),
            Middleware(
                GZipMiddleware,
                minimum_size=1000,
                compresslevel=6,
                exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PACKED),
            ),
        ],
    )
