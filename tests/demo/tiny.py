"""Archive lines written by hand, for worlds of a few events."""

from datetime import date, timedelta

from demo.oracle import Observed, Oracle, entity_id

REPOS = {1: "one/r1", 2: "one/r2", 3: "two/r3"}


class Tiny:
    """A few events on days that are all known."""

    def __init__(self, first: str, last: str) -> None:
        self.first, self.last = date.fromisoformat(first), date.fromisoformat(last)
        self.lines: list[dict] = []

    def event(self, at: str, kind: str, repo: int, payload: dict, user: int = 7, login: str = "ann") -> dict:
        """One line; `at` is 'YYYY-MM-DD HH:MM:SS'."""
        line = {
            "id": str(len(self.lines) + 1),
            "type": kind,
            "actor": {"id": user, "login": login},
            "repo": {"id": repo, "name": REPOS[repo]},
            "payload": payload,
            "public": True,
            "created_at": at.replace(" ", "T") + "Z",
        }
        self.lines.append(line)
        return line

    def push(
        self, at: str, repo: int, commits: list[tuple[str, str | None]], ref: str = "main", size: int | None = None
    ):
        """A push of (sha, author) pairs; None is an unknown author."""
        listed = [
            {"sha": s, "author": who and {"name": who, "email": f"{who}@ex.org"}, "distinct": True}
            for s, who in commits
        ]
        return self.event(
            at, "PushEvent", repo, {"ref": f"refs/heads/{ref}", "size": size or len(listed), "commits": listed}
        )

    def issue(self, at: str, user: int, repo: int = 1) -> dict:
        """An issue opened by a user; its number is the line's."""
        author = {"id": user, "login": f"user{user}", "type": "User"}
        return self.event(
            at, "IssuesEvent", repo, {"action": "opened", "issue": {"number": len(self.lines), "user": author}}, user
        )

    def oracle(self, projects: dict[str, list[str]], collections=None, missing=()) -> Oracle:
        """The oracle of all of it; every hour has 100 lines but the (day, hour) in `missing`."""
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 2)]
        hours = {(d, h): None if (str(d), h) in missing else 100 for d in days for h in range(24)}
        return Oracle(Observed(self.first, self.last, self.lines, hours, projects, collections or {}))


def series(oracle: Oracle, level: str, name, metric: str, word: str) -> dict[str, float]:
    """Amounts of one series by ISO sample date."""
    wanted = (level, entity_id(level, name), metric, word)
    return {key[4].isoformat(): row[0] for key, row in oracle.timeseries().items() if key[:4] == wanted}
