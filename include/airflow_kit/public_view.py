"""An auth manager for an Airflow web server that is open to everybody: all may look, nobody can act.

It belongs to a second web server on the same database (docs/operating.md, "Public view"); operators keep theirs.
"""

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.common.types import MenuItem
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

READING = {"GET", "HEAD", "OPTIONS"}
VISITOR = SimpleAuthManagerUser(username="visitor", role="VIEWER")
HIDDEN = {MenuItem.AUDIT_LOG, MenuItem.CONFIG, MenuItem.CONNECTIONS, MenuItem.REQUIRED_ACTIONS, MenuItem.VARIABLES}


class Visitors(BaseHTTPMiddleware):
    """Lets every request in as a viewer, whatever credentials it brings, and refuses all that does not only read."""

    async def dispatch(self, request: Request, call_next) -> Response:
        """The answer to one request; 403 to every other method than those of READING."""
        if request.method not in READING:
            return JSONResponse({"detail": "This is the public view: everybody may look, nothing acts."}, 403)
        token = get_auth_manager().generate_jwt(user=VISITOR)
        kept = [(name, value) for name, value in request.scope["headers"] if name not in (b"authorization", b"cookie")]
        request.scope["headers"] = [*kept, (b"authorization", f"Bearer {token}".encode())]
        return await call_next(request)


class PublicViewAuthManager(SimpleAuthManager):
    """Airflow's simple auth manager with one user, the visitor: no passwords, no log-in."""

    def init(self) -> None:
        """Makes no users and no file of passwords."""

    def get_fastapi_middlewares(self):
        """Every request goes through Visitors."""
        return [(Visitors, {})]

    def get_fastapi_app(self):
        """There is no log-in page."""
        return None

    def is_authorized_configuration(self, **_) -> bool:
        """Never: a configuration may hold credentials."""
        return False

    def is_authorized_dag(self, *, access_entity: DagAccessEntity | None = None, **asked) -> bool:
        """Everything of a DAG but who did what."""
        return access_entity is not DagAccessEntity.AUDIT_LOG and super().is_authorized_dag(
            access_entity=access_entity, **asked
        )

    def filter_authorized_menu_items(self, menu_items: list[MenuItem], *, user) -> list[MenuItem]:
        """Without the pages that a visitor may not read."""
        return [item for item in menu_items if item not in HIDDEN]
