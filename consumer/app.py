"""The consumer API as one ASGI application."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from consumer.serving import Serving

FOLLOW_EVERY_S = 5


class OneBundle:
    """Gives each request the bundle of its beginning, `request.state.bundle`, for all of its answer."""

    def __init__(self, app, serving: Serving) -> None:
        self.app, self.serving = app, serving

    async def __call__(self, scope, receive, send) -> None:
        """Adds the bundle to the scope of HTTP requests."""
        if scope["type"] == "http":
            scope.setdefault("state", {})["bundle"] = self.serving.bundle
        await self.app(scope, receive, send)


def create_app(serving: Serving) -> Starlette:
    """The application over what `serving` serves; it follows new releases while it runs."""

    @asynccontextmanager
    async def life(app):
        serving.follow(FOLLOW_EVERY_S)
        yield
        serving.close()

    async def health(request):
        bundle = request.state.bundle
        facts = {"release": bundle.release_id, "published_at": bundle.published_at.isoformat(), "error": serving.error}
        return JSONResponse(facts)

    app = Starlette(routes=[Route("/healthz", health)], lifespan=life)
    app.add_middleware(OneBundle, serving=serving)
    return app
