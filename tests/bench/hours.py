"""Archive hours that weigh what real ones do: event mix, payload sizes and how well they compress.

Payloads come from a stock of made-up ones, larger than gzip's window, so that
making an hour costs seconds and repeats hardly help the compressor.
"""

import gzip
import json
import random
from datetime import datetime
from pathlib import Path

from tests.bench import payloads

MIX = {
    "PushEvent": 60.0,
    "CreateEvent": 12.0,
    "PullRequestEvent": 7.0,
    "IssueCommentEvent": 6.0,
    "WatchEvent": 5.0,
    "DeleteEvent": 3.5,
    "IssuesEvent": 1.8,
    "PullRequestReviewEvent": 1.6,
    "PullRequestReviewCommentEvent": 1.0,
    "ForkEvent": 1.0,
    "ReleaseEvent": 0.5,
}
ERAS = {"full": datetime(2025, 5, 1), "slim": datetime(2025, 11, 1)}  # pushes list commits, or not
TRACKED_REPOS, OTHER_REPOS = 2_000, 500_000
STOCK_BYTES = 4 << 20  # per event type


def tracked_names() -> list[str]:
    """The repositories that the benchmark follows."""
    return [f"followed{n % 400}/project-{n}" for n in range(TRACKED_REPOS)]


def write_hours(folder: Path, era: str, *, hours: int = 1, events: int = 150_000, share: float = 0.05) -> Path:
    """Writes `hours` files of `events` lines, `share` of them of tracked repositories; returns the folder.

    The same call writes the same lines. A folder that is complete already is kept.
    """
    stock, start = None, ERAS[era]
    folder.mkdir(parents=True, exist_ok=True)
    for hour in range(hours):
        path = folder / f"{start:%Y-%m-%d}-{hour}.json.gz"
        if path.exists():
            continue
        stock = stock or _stock(era)
        draft = path.with_suffix(".draft")
        with gzip.open(draft, "wb", compresslevel=6) as file:
            for block in _blocks(start.replace(hour=hour), events, share, stock):
                file.write(block)
        draft.replace(path)
    return folder


def _stock(era: str) -> dict[str, list[str]]:
    rng, stock = random.Random(7), {}
    for kind in MIX:
        made, size = [], 0
        while size < STOCK_BYTES and len(made) < 8_000:
            made.append(json.dumps(payloads.payload(rng, kind, era), separators=(",", ":")))
            size += len(made[-1])
        stock[kind] = made
    return stock


def _blocks(start: datetime, events: int, share: float, stock: dict[str, list[str]]):
    rng, tracked = random.Random(start.hour), tracked_names()
    kinds = rng.choices(list(MIX), list(MIX.values()), k=events)
    lines = []
    for number, kind in enumerate(kinds):
        if rng.random() < share:
            repo = rng.randrange(TRACKED_REPOS)
            name = tracked[repo]
        else:
            repo = TRACKED_REPOS + int(OTHER_REPOS * rng.random() ** 3)
            name = f"{payloads.login(repo // 3)}/{payloads.WORDS[repo % 4000]}-{repo}"
        event_id = 50_000_000_000 + start.hour * 10_000_000 + number * 7
        second = number * 3600 // events
        lines.append(_line(rng, event_id, kind, repo, name, f"{start:%Y-%m-%dT%H}", second, rng.choice(stock[kind])))
        if len(lines) == 2_000:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _line(rng, event_id: int, kind: str, repo: int, name: str, at: str, second: int, payload: str) -> str:
    actor = int(800_000 * rng.random() ** 2)
    login = payloads.login(actor)
    org = ""
    if repo % 3 == 0:
        owner = name.partition("/")[0]
        org = (
            f',"org":{{"id":{repo},"login":"{owner}","gravatar_id":"","url":"https://api.github.com/orgs/{owner}",'
            f'"avatar_url":"https://avatars.githubusercontent.com/u/{repo}?"}}'
        )
    return (
        f'{{"id":"{event_id}","type":"{kind}","actor":{{"id":{actor + 1000},"login":"{login}",'
        f'"display_login":"{login}","gravatar_id":"","url":"https://api.github.com/users/{login}",'
        f'"avatar_url":"https://avatars.githubusercontent.com/u/{actor}?"}},'
        f'"repo":{{"id":{repo + 10_000_000},"name":"{name}","url":"https://api.github.com/repos/{name}"}},'
        f'"payload":{payload},"public":true,"created_at":"{at}:{second // 60:02}:{second % 60:02}Z"{org}}}\n'
    )
