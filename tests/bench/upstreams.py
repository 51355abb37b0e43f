"""Requests of a day: 5,000 GitHub repositories with 10 % changed, 1,536 npm packages, 11 Open Collective accounts."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

from demo import connections, npm, open_collective
from demo.github_api import GitHub
from demo.server import DemoServer
from tests.bench.jobs import in_turn, verdict

GOAL_QUERIES, GOAL_NPM, GOAL_LEDGER = 400, 1070, 15
GITHUB_DAY, LEDGER_DAY = date(2025, 9, 1), date(2025, 10, 27)
NPM_WEEK = (date(2025, 10, 12), date(2025, 10, 19))  # the end is exclusive


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """Requests of each upstream, counted by its stand-in; repeats would give the same."""
    github, downloads, ledger = in_turn(1, (github_day,), (npm_week,), (ledger_day,))
    detail = f"{github['core']:.0f} REST requests besides, {github['points']:.0f} points, {github['cpu']:.1f} s of CPU"
    yield verdict("GraphQL requests of a GitHub day and its snapshot", github["graphql"], GOAL_QUERIES, detail=detail)
    yield verdict("requests of a week of npm downloads", downloads["requests"], GOAL_NPM)
    yield verdict("requests of an Open Collective day", ledger["requests"], GOAL_LEDGER)


def github_day() -> dict:
    """Job: a day and a snapshot of 5,000 repositories."""
    from include.sources import _github_api_client as client
    from tests.bench.jobs import Cpu

    made, listed = tracked_repositories()
    with DemoServer(github_api=made) as server, patch.object(client, "REST_PER_MINUTE", None), Cpu() as cpu:
        for name, day in (("github_api", GITHUB_DAY), ("github_repositories", date(2025, 9, 3))):
            _fetch(server, name, [day], listed, datetime(2025, 9, 3, 12, tzinfo=UTC))
    return dict(made.requests) | {"points": made.points, "cpu": cpu.seconds}


def npm_week() -> dict:
    """Job: seven days of 1,536 packages, 1,055 of them with a scope."""
    from include.sources.base import Listed, Window

    names = [f"plain-{n}" for n in range(481)] + [f"@scope/p{n}" for n in range(1055)]
    packages = {n: npm.Package(n, "p", 10 * (i % 40)) for i, n in enumerate(names)}
    with DemoServer() as server, patch.object(npm, "BY_NAME", packages):
        listed = [Listed("p", "npm", n) for n in names]
        _fetch(server, "npm", Window(*NPM_WEEK).days(), listed, datetime(2025, 10, 20, 7, tzinfo=UTC))
        return {"requests": sum(server.requests.values())}


def ledger_day() -> dict:
    """Job: a day of the demo's 11 listed accounts, their children included."""
    from include.sources.base import Listed

    slugs = [*open_collective.LISTED, *open_collective.GONE]
    listed = [Listed("p", "open_collective", slug) for slug in slugs]
    with DemoServer() as server:
        _fetch(server, "open_collective", [LEDGER_DAY], listed, datetime(2025, 10, 29, tzinfo=UTC))
        return {"requests": sum(server.requests.values())}


def tracked_repositories() -> tuple[GitHub, list]:
    """5,000 repositories, two thirds listed by name, the others by their owners; every tenth changed that day."""
    from include.sources.base import Listed
    from tests.sources.standins import ANN, git_commit

    made, listed = GitHub(), []
    for n in range(1, 5001):
        name = f"org{n % 600}/repo{n}"
        shelf = made.add(n, name, created_at="2020-01-01T00:00:00Z")
        if n % 600 < 400:
            listed.append(Listed("p", "github_repo", name))
        if n % 10:
            continue
        shelf.repository["pushedAt"] = shelf.repository["updatedAt"] = "2025-09-01T12:00:00Z"
        shelf.commits += [git_commit("0", "2025-09-01T11:00:00Z", oid=f"{n:033x}{k:07x}") for k in range(6)]
        for k in range(5):
            item = made.item(shelf, k, "2025-09-01T05:00:00Z", ANN, is_pull=k > 2)
            if k > 2:
                made.review(item, n * 10 + k, "2025-09-01T06:00:00Z", ANN, [n * 10 + k])
    return made, listed + [Listed("p", "github_owner", f"org{n}") for n in range(400, 600)]


def _fetch(server, name: str, days: list[date], listed: list, now: datetime) -> None:
    from include.http import HttpClient
    from include.sources import get_source
    from include.sources.base import Context, Window, parse_connection

    source = get_source(name)
    connection = parse_connection(connections(server.base_url), source.connection, ())
    with tempfile.TemporaryDirectory() as keep:
        http = HttpClient(connection.login, connection.password, sleep=lambda s: None)
        context = Context(connection=connection, http=http, now=now, listed=tuple(listed), keep=Path(keep))
        for day in days:
            for _ in source.fetch(Window.of(day), context):
                pass
