"""Small upstreams for tests: an archive folder and a directory, and what one line of each looks like."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from demo import chain, connections
from demo.github_api import GitHub, person
from demo.npm import PACKAGES
from demo.open_collective import PATH, Api, account, transaction
from demo.server import DemoServer
from include.settings import Settings, load_settings

DAY = date(2025, 9, 1)
SLIM_DAY = date(2025, 11, 1)
REPO = {"id": 7, "name": "acme/rocket", "url": "https://api.github.com/repos/acme/rocket"}
HASHED = "a" * 40 + "@example.org"


def settings_in(home: Path) -> Settings:
    """Embedded settings under a test's own folder."""
    return load_settings({"OPENIMPACT_HOME": str(home)})


def event(number: int, kind: str = "WatchEvent", at: str = "2025-09-01T06:00:00Z", **fields) -> dict:
    """One archive line; fields replace its defaults."""
    line = {
        "id": str(number),
        "type": kind,
        "actor": {"id": 1, "login": "ann", "display_login": "ann"},
        "repo": REPO,
        "payload": {"action": "started"},
        "public": True,
        "created_at": at,
    }
    return line | fields


def push(number: int, commits: int = 1, **fields) -> dict:
    """A push of the years before 2025-10-07."""
    listed = [
        {"sha": f"{number:032x}{n:08x}", "author": {"name": "Ann", "email": HASHED}, "message": "m", "distinct": True}
        for n in range(commits)
    ]
    payload = {"push_id": 1, "size": commits, "distinct_size": commits, "ref": "refs/heads/main", "commits": listed}
    return event(number, "PushEvent", payload=payload, **fields)


def other(number: int) -> dict:
    """An event of a repository that nobody tracks."""
    return event(number, repo={"id": 900 + number, "name": f"stranger/r{number}"})


def text(*lines: dict | bytes) -> bytes:
    """Lines of an archive file; bytes stay as they are."""
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode())
        + b"\n"
        for line in lines
    )


def write_hours(folder: Path, day: date, hours: dict[int, bytes | tuple]) -> Path:
    """Archive files of a day; hour 24 is hour 0 of the next. Bytes are written raw, lines are packed.

    Hours not given hold one event of a stranger.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for hour in range(25):
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
        body = hours.get(hour, (other(10_000 + hour),))
        if body is None:
            continue
        packed = body if isinstance(body, bytes) else gzip.compress(text(*body), mtime=0)
        (folder / f"{at:%Y-%m-%d}-{at.hour}.json.gz").write_bytes(packed)
    return folder


def write_directory(folder: Path, projects: dict[str, str], collections: dict[str, str] | None = None) -> Path:
    """A directory checkout: YAML text by file name, without `name:` lines' version."""
    for kind, files in (("projects", projects), ("collections", collections or {})):
        for name, body in files.items():
            path = folder / "data" / kind / (name[0] if kind == "projects" else "") / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
    return folder


ACME = (
    "version: 7\nname: acme\ndisplay_name: Acme\ngithub:\n  - url: https://github.com/acme/rocket\nblockchain:\n"
    f"  - address: '{chain.CORAL}'\n    tags: [contract]\n    networks: [any_evm]\n"
    f"  - address: '{chain.DEPLOYER}'\n    tags: [deployer]\n    networks: [mainnet]\n"
)
ELSEWHERE = f"""version: 7
name: elsewhere
pypi:
  - url: https://pypi.org/project/Acme_Kit
npm:
  - url: https://www.npmjs.com/package/@Acme/sdk
blockchain:
  - address: "0x{"c0" * 20}"
    tags: [contract]
    networks: [mainnet, optimism]
  - address: "0x{"de" * 20}"
    tags: [deployer, eoa]
    networks: [any_evm]
"""
TOOLS = "version: 7\nname: tools\ngithub:\n  - url: https://github.com/toolsmith\n"
PARCELS = "version: 7\nname: parcels\nnpm:\n" + "".join(
    f"  - url: https://www.npmjs.com/package/{package.name}\n" for package in PACKAGES
)
FUND = "version: 7\nname: fund\nopen_collective:\n  - url: https://opencollective.com/acme\n"
SPACE = "version: 7\nname: space\nprojects:\n  - acme\n  - tools\n  - acme\n"


def acme_directory(folder: Path) -> Path:
    """Two projects and a collection."""
    return write_directory(folder, {"acme": ACME, "tools": TOOLS}, {"space": SPACE})


def acme_archive(folder: Path) -> Path:
    """A day with pushes, stars, a duplicate across hours and an event of the next day in hour 24."""
    return write_hours(
        folder,
        DAY,
        {
            6: (push(1, commits=2), event(2), other(3)),
            7: (event(2), event(4, repo={"id": 8, "name": "toolsmith/hammer"}), other(5)),
            24: (
                event(6, at="2025-09-01T23:59:59Z"),
                event(7, at="2025-09-02T00:00:01Z"),
            ),
        },
    )


def acme_ledger() -> Api:
    """An account with an event of its own, two gifts and a fee on the day."""
    acme, giver = account("acme", host="haven"), account("giver", "INDIVIDUAL")
    party = account("acme-party", "EVENT", parent={key: acme[key] for key in ("id", "slug", "type")})
    rows = [
        transaction(10, acme, giver, 10_000, f"{DAY}T06:00:00.000Z"),
        transaction(11, giver, acme, -10_000, f"{DAY}T06:00:00.000Z"),
        transaction(12, acme, None, -500, f"{DAY}T06:00:00.000Z", "HOST_FEE"),
        transaction(20, party, giver, 2_500, f"{DAY}T23:59:59.999Z"),
    ]
    return Api([acme, party, giver], rows)


ANN, BEN = person(1, "ann"), person(2, "ben")
BOT = person(3, "mergebot[bot]", "Bot")
ON_DAY = "2025-09-01T%s:00Z"


def git_commit(sha: str, at: str, user: dict | None = None, **facts) -> dict:
    """A commit on the default branch, as GraphQL gives it."""
    author = {"__typename": "GitActor", "name": "Ann", "email": "ann@Example.org", "user": user}
    committer = {"__typename": "GitActor", "name": "GitHub", "user": None}
    return {
        "__typename": "Commit", "oid": sha * 40, "committedDate": at, "authoredDate": at, "additions": 5,
        "deletions": 2, "changedFilesIfAvailable": 1, "author": author, "committer": committer,
    } | facts  # fmt: skip


def acme_github() -> GitHub:
    """acme/rocket with everything that can happen on DAY, and an owner with a busy, a quiet and a private one."""
    made = GitHub()
    rocket = made.add(7, "acme/rocket", created_at="2020-01-01T00:00:00Z", updatedAt=ON_DAY % "20:00")
    rocket.repository["pushedAt"] = ON_DAY % "12:00"
    rocket.commits += [
        git_commit("f", "2025-09-02T00:00:00Z"),  # the next day's
        git_commit("a", ON_DAY % "12:00", ANN),
        git_commit("b", "2025-08-20T09:00:00Z"),  # brought by a merge, 12 days old
        git_commit("c", ON_DAY % "00:00", author=None),
        git_commit("d", "2025-08-31T23:59:59Z", ANN),
        git_commit("e", "2025-08-17T23:59:59Z"),  # older than the overlap
    ]
    pull = made.item(rocket, 1, ON_DAY % "08:00", ANN, is_pull=True)
    made.review(pull, 101, ON_DAY % "09:00", BEN, [201, 202], state="APPROVED")
    made.review(pull, 102, None, BEN)  # pending
    made.comment(pull, 301, ON_DAY % "09:30", None)
    made.merge(pull, ON_DAY % "10:00", BOT)
    old = made.item(rocket, 2, "2025-08-01T00:00:00Z", BEN, is_pull=True)
    made.turn(old, ON_DAY % "11:00", ANN, opens=False)
    made.turn(old, ON_DAY % "11:30", BEN, opens=True)
    made.review(old, 103, "2025-08-02T00:00:00Z", ANN, [203])  # another day's
    issue = made.item(rocket, 3, ON_DAY % "13:00", BEN, is_pull=False)
    made.comment(issue, 302, ON_DAY % "13:30", ANN)
    made.comment(issue, 303, "2025-09-02T07:00:00Z", ANN)  # the next day's
    made.turn(issue, ON_DAY % "14:00", ANN, opens=False)
    made.item(rocket, 4, "2025-09-02T08:00:00Z", ANN, is_pull=False)  # the next day's
    made.item(rocket, 5, "2024-09-02T08:00:00Z", ANN, is_pull=False)  # untouched since
    release = {"__typename": "Release", "tagName": "v1", "isDraft": False, "isPrerelease": True, "author": ANN}
    rocket.releases += [
        release | {"databaseId": 401, "createdAt": "2025-08-15T00:00:00Z", "publishedAt": ON_DAY % "15:00"},
        release | {"databaseId": 402, "createdAt": ON_DAY % "15:00", "publishedAt": None, "isDraft": True},
    ]
    fork = {"__typename": "Repository", "nameWithOwner": "ben/rocket", "owner": BEN}
    rocket.forks += [fork | {"databaseId": 501, "createdAt": ON_DAY % "16:00"}]
    rocket.stars.update({DAY: 3, DAY - timedelta(days=30): 2})
    made.add(8, "toolsmith/hammer", created_at="2021-01-01T00:00:00Z", updatedAt="2025-08-30T00:00:00Z")
    hammer = made.shelves[8]
    talk = made.item(hammer, 1, "2025-08-01T00:00:00Z", BEN, is_pull=False)
    made.comment(talk, 304, ON_DAY % "18:00", BOT)  # nothing but the issue tells of it
    made.add(9, "toolsmith/anvil", created_at="2021-01-01T00:00:00Z", isFork=True, isArchived=True)
    made.add(10, "toolsmith/secret", created_at="2021-01-01T00:00:00Z", isPrivate=True)
    return made


@cache
def acme_server() -> DemoServer:
    """GitHub's API with acme_github on a port of its own, for the whole test run."""
    return DemoServer(github_api=acme_github()).__enter__()


@cache
def upstreams() -> DemoServer:
    """The demo's server, one for the whole run of the tests; its ledgers are those of acme."""
    server = DemoServer()
    server.apis[PATH] = acme_ledger().answer
    return server.__enter__()


def connect(monkeypatch, root: Path) -> None:
    """Points every source to its stand-in: files written under `root`, or the demo's server."""
    from tests.sources.bigquery_day import shared_server

    for name, value in connections(upstreams().base_url).items():
        monkeypatch.setenv(name, value)
    folder = write_directory(
        acme_directory(root / "directory"), {"parcels": PARCELS, "fund": FUND, "elsewhere": ELSEWHERE}
    )
    monkeypatch.setenv("AIRFLOW_CONN_OSS_DIRECTORY", f"file://{folder}")
    address = acme_server().base_url.replace("://", "://:planted-token@")
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_API", f"{address}/github")
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_ARCHIVE", f"file://{acme_archive(root / 'archive')}")
    address = shared_server().base_url.replace("://", "://demo-project@")
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD", address)


def rows(settings: Settings, table: str, *columns: str) -> list[tuple]:
    """Rows of a raw table as sorted tuples, by default all but the run's own columns."""
    from include.lake.catalog import open_catalog

    data = open_catalog(settings, "lake").load_table(f"raw.{table}").scan().to_arrow()
    names = columns or [n for n in sorted(data.column_names) if n not in ("_run_id", "_loaded_at")]
    return sorted((tuple(row[n] for n in names) for row in data.select(names).to_pylist()), key=repr)


def everything(settings: Settings, source) -> dict[str, list[tuple]]:
    """All rows of all raw tables of a source."""
    return {s.name: rows(settings, f"{source.name}__{s.name}") for s in source.all_streams}
