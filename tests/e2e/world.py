"""Small worlds written by hand: archive hours and a directory folder, landed and built as a user would."""

import gzip
import json
from datetime import date, datetime, timedelta
from pathlib import Path

from demo.oracle import Observed
from demo.oracle.told import Told

USER = {7: "ann", 8: "bob", 9: "cleo"}


class World:
    """An archive and a directory below `folder`; every day of [first, last] gets its 24 hour files, and one more."""

    def __init__(self, folder: Path, first: date, last: date) -> None:
        self.folder, self.first, self.last = folder, first, last
        self.events: dict[tuple[date, int], list[dict]] = {}
        self.next_id = 1

    def event(self, at: str, kind: str, repo: tuple[int, str], payload: dict, actor: int = 7, **more) -> dict:
        """One event at 'YYYY-MM-DD HH:MM:SS' into the hour file of that time; returns the line."""
        moment = datetime.fromisoformat(at)
        line = {
            "id": str(self.next_id),
            "type": kind,
            "actor": {"id": actor, "login": USER.get(actor, f"user{actor}")},
            "repo": {"id": repo[0], "name": repo[1]},
            "payload": payload,
            "public": True,
            "created_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        } | more
        self.next_id += 1
        self.put(line, moment.date(), moment.hour)
        return line

    def put(self, line: dict, day: date, hour: int) -> None:
        """The same line in a file of our choice, for duplicates."""
        self.events.setdefault((day, hour), []).append(line)

    def push(self, at: str, repo: tuple[int, str], shas: list[tuple[str, str]], ref="main", size=None) -> dict:
        """A push of (sha, author) pairs; authors become e-mails in the archive's hashed form."""
        commits = [
            {"sha": sha, "author": {"email": f"{who}@ex.org", "name": who}, "message": "m", "distinct": True}
            for sha, who in shas
        ]
        payload = {"ref": f"refs/heads/{ref}", "size": size or len(commits), "commits": commits}
        return self.event(at, "PushEvent", repo, payload)

    def star(self, at: str, repo: tuple[int, str], user: int) -> dict:
        """One star."""
        return self.event(at, "WatchEvent", repo, {"action": "started"}, actor=user)

    def write(self, projects: dict[str, list[str]], collections: dict[str, list[str]]) -> dict[str, str]:
        """Writes the files; returns the connections that point at them. `projects` lists GitHub URLs."""
        archive, directory = self.folder / "archive", self.folder / "directory"
        archive.mkdir(parents=True)
        noise = {"actor": {"id": 1, "login": "x"}, "repo": {"id": 999, "name": "noise/noise"}, "payload": {}}
        for day in (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 2)):
            for hour in range(24):
                stamp = f"{day}T{hour:02}:00:00Z"
                lines = [
                    {"id": f"9{day:%Y%m%d}{hour:02}", "type": "GollumEvent", "public": True, "created_at": stamp}
                    | noise
                ]
                lines += self.events.get((day, hour), [])
                text = "".join(json.dumps(line) + "\n" for line in lines)
                (archive / f"{day}-{hour}.json.gz").write_bytes(gzip.compress(text.encode()))
        for name, urls in projects.items():
            entries = "".join(f"\n  - url: {url}" for url in urls)
            self._yaml(directory / "data/projects" / name[0] / f"{name}.yaml", name, f"github:{entries}")
        for name, members in collections.items():
            entries = "".join(f"\n  - {member}" for member in members)
            self._yaml(directory / "data/collections" / f"{name}.yaml", name, f"projects:{entries}")
        return {"AIRFLOW_CONN_OSS_DIRECTORY": f"file://{directory}", "AIRFLOW_CONN_GITHUB_ARCHIVE": f"file://{archive}"}

    def observed(self, projects: dict[str, list[str]], collections: dict[str, list[str]], told: Told) -> Observed:
        """What the oracle knows of it when all of its days landed, and GitHub told the rest."""
        lines = [line for found in self.events.values() for line in found]
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 2)]
        counts = {(d, h): 1 + len(self.events.get((d, h), ())) for d in days for h in range(24)}
        return Observed(self.first, self.last, lines, counts, projects, collections, told)

    @staticmethod
    def _yaml(path: Path, name: str, rest: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"version: 7\nname: {name}\ndisplay_name: {name.upper()}\n{rest}\n")
