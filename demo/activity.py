"""What happens in the world: a list of events in order of time, each with what its payload will need."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from demo.world import FIRST_DAY, LAST_DAY, SEED, Account, Repo, World, world

END = datetime.combine(LAST_DAY + timedelta(days=1), time(), UTC)
NINE_DAYS, TEN_DAYS = 9, 10  # commit days in June of two people of steady-hands/lathe


@dataclass(slots=True)
class Happening:
    """One event before it is written down; `facts` differ by type."""

    at: datetime
    type: str
    repo: Repo
    actor: Account | None
    facts: dict[str, Any] = field(default_factory=dict)
    id: int = 0


@dataclass(slots=True)
class Item:
    """An issue or pull request."""

    number: int
    author: Account | None
    opened_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    is_pull: bool = False


class Simulation:
    """Lets the days pass once and keeps what happened in `happenings`."""

    def __init__(self, the_world: World) -> None:
        self.world = the_world
        self.random = Random(the_world.seed + 1)
        self.happenings: list[Happening] = []
        self.numbers: dict[int, int] = {}
        self.shas: dict[int, int] = {}
        self.objects = 1_000_000
        for n in range((LAST_DAY - FIRST_DAY).days + 1):
            day = FIRST_DAY + timedelta(days=n)
            for repo in the_world.repos:
                self._repo_day(repo, day)
            self._scripted(day)
        self.happenings.sort(key=lambda h: h.at)
        for n, happening in enumerate(self.happenings):
            happening.id = 50_000_000_000 + 11 * n

    # -- one day of one repository

    def _repo_day(self, repo: Repo, day: date) -> None:
        r = self.random
        if day < repo.created_on or (repo.owner == "fadeout" and day >= date(2025, 8, 1)):
            return
        if day == repo.created_on:
            self._emit(_at(day, 0.3), "CreateEvent", repo, repo.team[0], ref_type="repository")
        pace = repo.pace * (0.3 if day.weekday() >= 5 else 1.0)
        for _ in range(_times(r, pace)):
            self._push(repo, day, r.choice(repo.team))
        for _ in range(_times(r, pace * 0.45)):
            self._pull_request(repo, day)
        for _ in range(_times(r, pace * 0.3)):
            self._issue(repo, day)
        for _ in range(_times(r, pace * 0.5)):
            self._star(repo, day)
        if r.random() < pace * 0.12:
            fork_id, forker = self._object(), self._person(repo, day)
            self._emit(_at(day, r.random()), "ForkEvent", repo, forker, fork_id=fork_id)
        if r.random() < pace * 0.03:
            self._emit(
                _at(day, r.random()), "ReleaseEvent", repo, self._shown(repo.team[0], day),
                object_id=self._object(), prerelease=r.random() < 0.3,
            )  # fmt: skip
        if r.random() < pace * 0.15:
            kind = r.choice(["GollumEvent", "DeleteEvent", "CreateEvent", "MemberEvent", "PublicEvent",
                             "CommitCommentEvent", "DiscussionEvent", "HologramEvent"])  # fmt: skip
            more = {"ref_type": "branch"} if kind in ("CreateEvent", "DeleteEvent") else {}
            self._emit(_at(day, r.random()), kind, repo, self._person(repo, day), **more)

    def _push(self, repo: Repo, day: date, who: Account, moment: float | None = None, count: int | None = None) -> None:
        r = self.random
        at = _at(day, moment if moment is not None else min(0.985, max(0.01, r.gauss(0.6, 0.18))))
        feature = moment is None and r.random() < 0.2
        size = count or (r.randint(21, 40) if r.random() < 0.01 and not feature else r.randint(1, 4))
        commits = [self._commit(repo, who) for _ in range(size)]
        branch = f"feature/{r.randint(1, 99)}" if feature else repo.default_branch
        self._emit(at, "PushEvent", repo, self._shown(who, day), branch=branch, commits=commits[:20], size=size)
        if feature and r.random() < 0.5 and at.hour < 21:  # merged later: the same shas, no longer distinct
            again = [(*c[:3], False) for c in commits]
            later = at + timedelta(minutes=r.randint(20, 120))
            self._emit(later, "PushEvent", repo, who, branch=repo.default_branch, commits=again[:20], size=size)

    def _commit(self, repo: Repo, who: Account) -> tuple[str, str | None, str | None, bool]:
        """sha, author's name, e-mail, distinct; most are the pusher's own."""
        r = self.random
        n = self.shas[repo.id] = self.shas.get(repo.id, 0) + 1
        sha = hashlib.sha1(f"{repo.id}/{n}".encode(), usedforsecurity=False).hexdigest()
        dice = r.random()
        if dice < 0.05:
            return sha, None, None, True  # no author in the payload
        if dice < 0.12:
            who = r.choice(self.world.bots[:2])
        elif dice < 0.25:
            who = r.choice(repo.team)
        email = who.email.upper() if dice > 0.99 else who.email  # replaced below: only the host may change its case
        if email != who.email:
            local, _, host = who.email.rpartition("@")
            email = f"{local}@{host.upper()}"
        return sha, who.git_name, email, True

    def _pull_request(self, repo: Repo, day: date) -> None:
        r = self.random
        author = r.choices([r.choice(repo.team), self._person(repo, day), r.choice(self.world.bots[:2])], [5, 3, 2])[0]
        opened = _at(day, r.uniform(0.01, 0.97))
        pull = Item(self._number(repo), self._shown(author, day), opened, is_pull=True)
        fresh = _copy(pull)
        self._emit(opened, "PullRequestEvent", repo, pull.author, action="opened", item=fresh)
        at = opened
        for _ in range(_times(r, 0.8)):
            at += timedelta(minutes=r.randint(5, 2000))
            self._talk(repo, pull, at)
        if r.random() < 0.8:
            self._finish_pull(repo, pull, at + timedelta(minutes=r.randint(3, 3000)))
        if r.random() < 0.2:
            self._emit(opened, "PullRequestEvent", repo, pull.author, action="labeled", item=fresh)

    def _talk(self, repo: Repo, pull: Item, at: datetime) -> None:
        """A review, a review comment or a comment; sometimes the author's own."""
        r = self.random
        own = r.random() < 0.15 and pull.author
        who = pull.author if own else self._shown(r.choice([*repo.team, self.world.bots[2]]), at.date())
        kind = r.choice(["PullRequestReviewEvent", "PullRequestReviewCommentEvent", "IssueCommentEvent"])
        self._emit(at, kind, repo, who, action="created", item=_copy(pull), object_id=self._object(), user=who)

    def _finish_pull(self, repo: Repo, pull: Item, at: datetime) -> None:
        r = self.random
        if r.random() < 0.15:
            pull.closed_at = at
            self._emit(
                at,
                "PullRequestEvent",
                repo,
                self._shown(r.choice(repo.team), at.date()),
                action="closed",
                item=_copy(pull),
            )
            if r.random() < 0.6:
                return
            pull.closed_at = None
            at += timedelta(minutes=r.randint(10, 5000))
            self._emit(at, "PullRequestEvent", repo, pull.author, action="reopened", item=_copy(pull))
            at += timedelta(minutes=r.randint(10, 900))
        merger = self._shown(r.choices([r.choice(repo.team), r.choice(self.world.bots[2:])], [8, 2])[0], at.date())
        pull.closed_at = pull.merged_at = at
        pull.merged_by = merger
        self._emit(at, "PullRequestEvent", repo, merger, action="closed", item=_copy(pull))

    def _issue(self, repo: Repo, day: date) -> None:
        r = self.random
        author = self._shown(self._person(repo, day), day)
        at = _at(day, r.uniform(0.01, 0.97))
        issue = Item(self._number(repo), author, at)
        self._emit(at, "IssuesEvent", repo, author, action="opened", item=_copy(issue))
        for _ in range(_times(r, 0.9)):
            at += timedelta(minutes=r.randint(3, 1500))
            who = self._shown(r.choice([*repo.team, self.world.bots[3]]), at.date())
            self._emit(
                at, "IssueCommentEvent", repo, who, action="created", item=_copy(issue), object_id=self._object(), user=who
            )  # fmt: skip
        for turn in range(r.choices([0, 1, 2], [4, 5, 1])[0]):
            if turn:
                issue.closed_at = None
                at += timedelta(minutes=r.randint(3, 4000))
                self._emit(at, "IssuesEvent", repo, author, action="reopened", item=_copy(issue))
            at += timedelta(minutes=r.randint(3, 4000))
            issue.closed_at = at
            closer = self._shown(r.choice(repo.team), at.date())
            self._emit(at, "IssuesEvent", repo, closer, action="closed", item=_copy(issue))

    def _star(self, repo: Repo, day: date) -> None:
        r = self.random
        who = self._person(repo, day)
        at = _at(day, r.uniform(0, 0.8))
        self._emit(at, "WatchEvent", repo, who)
        if r.random() < 0.04:  # taken back and given again: one more event, the same star that day
            self._emit(at + timedelta(minutes=r.randint(1, 200)), "WatchEvent", repo, who)

    # -- what is on the calendar

    def _scripted(self, day: date) -> None:
        """Full and part-time people, and commits copied between repositories."""
        repos = self.world.by_name
        lathe = repos["steady-hands/lathe"]
        june = (day - date(2025, 6, 2)).days
        for who, days in zip(self.world.people[300:302], (NINE_DAYS, TEN_DAYS), strict=True):
            if 0 <= june < days:
                self._emit(
                    _at(day, 0.5), "PushEvent", lathe, who, branch=lathe.default_branch,
                    commits=[(_sha(f"{who.login}/{day}"), who.git_name, who.email, True)], size=1,
                )  # fmt: skip
        if day.weekday() == 2:
            who = lathe.team[0]
            for hour, name in enumerate(["copyleft-hall/original", "copyleft-hall/copy", "pressroom/reprint"]):
                repo = repos[name]
                copies = [(_sha(f"copied/{day}/{n}"), who.git_name, who.email, True) for n in range(2)]
                self._emit(
                    _at(day, 0.4 + hour / 24),
                    "PushEvent",
                    repo,
                    who,
                    branch=repo.default_branch,
                    commits=copies,
                    size=2,
                )
        if day.day == 8:
            self._push(repos["tidewater/anchor"], day, repos["tidewater/anchor"].team[0], 0.55, 27)

    # -- small helpers

    def _emit(self, at: datetime, kind: str, repo: Repo, actor: Account | None, **facts) -> None:
        if at < END:
            self.happenings.append(Happening(at, kind, repo, actor, facts))

    def _person(self, repo: Repo, day: date) -> Account:
        while True:
            who = self.random.choice(repo.team if self.random.random() < 0.3 else self.world.people)
            if who.deleted_on is None or day < who.deleted_on:
                return who

    @staticmethod
    def _shown(who: Account | None, day: date) -> Account | None:
        """Nobody, once the account is deleted."""
        return None if who is None or (who.deleted_on and day >= who.deleted_on) else who

    def _number(self, repo: Repo) -> int:
        self.numbers[repo.id] = self.numbers.get(repo.id, 0) + 1
        return self.numbers[repo.id]

    def _object(self) -> int:
        self.objects += 3
        return self.objects


def _times(r: Random, mean: float) -> int:
    """How often something of that mean happens: whole part, and one more by chance, doubled now and then."""
    n = int(mean) + (r.random() < mean - int(mean))
    return n * 2 if r.random() < 0.1 else n


def _at(day: date, part: float) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(seconds=int(part * 86_400))


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _copy(item: Item) -> Item:
    return Item(item.number, item.author, item.opened_at, item.closed_at, item.merged_at, item.merged_by, item.is_pull)


@lru_cache(maxsize=2)
def happenings(seed: int = SEED) -> list[Happening]:
    """Everything that happens in the world of that seed, in order of time."""
    return Simulation(world(seed)).happenings
