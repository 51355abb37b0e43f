"""GitHub's GraphQL and REST API over a made-up world as it is after its last day, with what hurts in reality.

POST /github/graphql                                   repositories, owners and nodes by alias
GET  /github/repos/{owner}/{repo}                      301 for an old name, 404, or 451 with its block
GET  /github/repos/{owner}/{repo}/stargazers/history   stars still held, weeks newest first

Built in: pages ordered by their last change overlap by one row, a merge also closes, a pending review is listed without
a time, bots come without [bot], deleted accounts as null, `since` of a history stops at the first older commit.
"""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from graphql import SelectionSetNode

from demo.activity import Happening, happenings
from demo.graphql import Question, Refused, execute, parse
from demo.world import SEED, Account, Repo, world

LIMIT = 5000
MOST_NODES = 500_000
Answer = tuple[int, dict[str, str], bytes]


def stamp(at: datetime) -> str:
    """A time as GitHub writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def node_id(kind: str, number: int | str) -> str:
    """A node id in GitHub's newer form."""
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def person(number: int, login: str, kind: str = "User") -> dict:
    """An account; GraphQL writes a bot's login without [bot]."""
    return {"__typename": kind, "databaseId": number, "login": login.removesuffix("[bot]")}


def page(
    rows: list[dict], *, overlaps: bool = False, first: int | None = None, after: str | None = None, **asked
) -> dict:
    """A page of a connection, ordered and filtered as asked; the next one repeats a row if pages overlap."""
    if order := asked.get("orderBy"):
        key = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt"}[order["field"]]
        rows = sorted(rows, key=lambda r: r[key], reverse=order["direction"] == "DESC")
    if states := asked.get("states"):
        rows = [r for r in rows if r["state"] in states]
    if since := asked.get("since"):
        rows = [r for r in rows if r["createdAt"] >= since]
    if first is not None and not 1 <= first <= 100:
        raise Refused("EXCESSIVE_PAGINATION", "`first` must be 1 to 100")
    start = int(base64.b64decode(after)) if after else 0
    end = start + (first or 0)
    following = end - 1 if overlaps and end - 1 > start else end
    return {
        "__typename": "Connection",
        "totalCount": len(rows),
        "nodes": rows[start:end],
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": end < len(rows),
            "endCursor": base64.b64encode(str(following).encode()).decode() if rows else None,
        },
    }


def connection(rows: list[dict], *, overlaps: bool = False) -> Callable[..., dict]:
    """A field that pages through rows, which may still grow."""
    return partial(page, rows, overlaps=overlaps)


def history(commits: list[dict], *, since: str | None = None, until: str | None = None, **pages) -> dict:
    """A branch's commits as git walks them, newest first: `since` stops at the first older one."""
    if until:
        commits = [c for c in commits if c["committedDate"] <= until]
    if since:
        commits = commits[: next((n for n, c in enumerate(commits) if c["committedDate"] < since), len(commits))]
    return page(commits, **pages)


@dataclass
class Shelf:
    """One repository and what is in it, as GraphQL objects."""

    repository: dict
    commits: list[dict] = field(default_factory=list)  # newest first
    pulls: list[dict] = field(default_factory=list)
    issues: list[dict] = field(default_factory=list)
    releases: list[dict] = field(default_factory=list)
    forks: list[dict] = field(default_factory=list)
    stars: Counter[date] = field(default_factory=Counter)


class GitHub:
    """Answers requests; what the attributes say goes wrong does."""

    def __init__(self) -> None:
        self.shelves: dict[int, Shelf] = {}
        self.nodes: dict[str, dict] = {}
        self.names: dict[str, int] = {}  # lower case, former names too
        self.owners: dict[str, dict] = {}
        self.blocked: dict[str, dict] = {}  # name to REST's block
        self.left: dict[tuple[str, str], int] = {}  # quota by token and resource, where it is not the usual one
        self.refused_tokens: set[str] = set()
        self.most_aliases: int | None = None  # more end in 502
        self.heavy: set[str] = set()  # names or node ids that end in 502, alone too
        self.broken: dict[str, dict] = {}  # names or node ids to the error in place of an object
        self.has_star_history = True
        self.resets_in_s = 1800
        self.requests: Counter[str] = Counter()
        self.points = 0

    # -- filling it

    def add(self, number: int, name: str, *, created_at: str, **facts) -> Shelf:
        """Founds a repository; `facts` replace fields of its GraphQL object."""
        owner = name.partition("/")[0]
        shelf = Shelf(
            {
                "__typename": "Repository", "id": node_id("R", number), "databaseId": number, "nameWithOwner": name,
                "isFork": False, "isArchived": False, "isPrivate": False, "createdAt": created_at,
                "pushedAt": created_at, "updatedAt": created_at, "description": "", "homepageUrl": None,
                "isDisabled": False, "isEmpty": False, "isTemplate": False, "isMirror": False, "archivedAt": None,
                "licenseInfo": {"__typename": "License", "name": "MIT License", "spdxId": "MIT"},
                "primaryLanguage": {"__typename": "Language", "name": "Rust"}, "parent": None,
            }
        )  # fmt: skip
        one = shelf.repository
        account = self.owners.setdefault(owner.lower(), person(5_000_000 + len(self.owners), owner, "Organization"))
        account.setdefault("_repositories", []).append(one)
        account["repositories"] = partial(_owned, account["_repositories"])
        one |= {
            "owner": account,
            "defaultBranchRef": {
                "__typename": "Ref",
                "name": facts.pop("default_branch", "main"),
                "target": {"__typename": "Commit", "history": partial(history, shelf.commits)},
            },
            "issues": connection(shelf.issues, overlaps=True),
            "pullRequests": connection(shelf.pulls, overlaps=True),
            "releases": connection(shelf.releases),
            "forks": connection(shelf.forks),
            "watchers": connection([]),
            "repositoryTopics": connection([]),
            "stargazerCount": 0,
            "forkCount": 0,
        } | facts
        self.shelves[number] = shelf
        self.nodes[one["id"]] = one
        self.names[name.lower()] = number
        return shelf

    def item(self, shelf: Shelf, number: int, at: str, author: dict | None, *, is_pull: bool, **facts) -> dict:
        """Opens an issue or pull request."""
        kind = "PullRequest" if is_pull else "Issue"
        rows = shelf.pulls if is_pull else shelf.issues
        full = shelf.repository["databaseId"] * 10_000 + number
        made = {
            "__typename": kind, "id": node_id(kind, full), "fullDatabaseId": str(full), "number": number,
            "state": "OPEN", "stateReason": None, "isDraft": False, "createdAt": at, "updatedAt": at, "closedAt": None,
            "mergedAt": None, "merged": False, "mergedBy": None, "author": author, "additions": 3, "deletions": 1,
            "changedFiles": 1, "baseRefName": "main", "_events": [], "_comments": [], "_reviews": [],
        }  # fmt: skip
        made |= {
            "timelineItems": lambda itemTypes, **asked: page(made["_events"], **asked),
            "comments": connection(made["_comments"], overlaps=True),
            "reviews": connection(made["_reviews"]),
        } | facts
        rows.append(made)
        self.nodes[made["id"]] = made
        return made

    def turn(self, item: dict, at: str, actor: dict | None, *, opens: bool) -> None:
        """Closes or reopens an item."""
        kind = "ReopenedEvent" if opens else "ClosedEvent"
        event = {
            "__typename": kind,
            "id": node_id(kind, f"{item['fullDatabaseId']}/{at}"),
            "createdAt": at,
            "actor": actor,
        }
        item["_events"].append(event)
        item |= {"state": "OPEN" if opens else "CLOSED", "closedAt": None if opens else at}
        touch(item, at)

    def merge(self, item: dict, at: str, actor: dict | None) -> None:
        """Merges a pull request, which closes it too."""
        self.turn(item, at, actor, opens=False)
        item |= {"state": "MERGED", "merged": True, "mergedAt": at, "mergedBy": actor}

    def comment(self, item: dict, number: int, at: str, author: dict | None) -> None:
        """Adds a comment to an item's talk."""
        item["_comments"].append(
            {
                "__typename": "IssueComment",
                "fullDatabaseId": str(number),
                "createdAt": at,
                "updatedAt": at,
                "author": author,
            }
        )
        touch(item, at)

    def review(
        self, item: dict, number: int, at: str | None, author: dict | None, comments: Iterable[int] = (), **facts
    ) -> None:
        """Adds a review with comments; without a time it is pending."""
        rows = [
            {"__typename": "PullRequestReviewComment", "fullDatabaseId": str(n), "createdAt": at, "publishedAt": at,
             "author": author}
            for n in comments
        ]  # fmt: skip
        made = {
            "__typename": "PullRequestReview", "id": node_id("PRR", number), "fullDatabaseId": str(number),
            "state": "COMMENTED" if at else "PENDING", "submittedAt": at, "author": author, "comments": connection(rows),
        } | facts  # fmt: skip
        item["_reviews"].append(made)
        self.nodes[made["id"]] = made
        if at:
            touch(item, at)

    # -- answering

    def answer(self, method: str, path: str, headers: Any, body: bytes = b"") -> Answer:
        """Status, headers and body for a request below /github; header names are lower case."""
        given = {k.lower(): v for k, v in dict(headers).items()}
        resource = "graphql" if path.endswith("/graphql") else "core"
        self.requests[resource] += 1
        if not given.get("user-agent"):
            return _json(403, {"message": "Request forbidden by administrative rules. Add a User-Agent header."})
        token = (given.get("authorization") or "").removeprefix("Bearer ").strip()
        if not token or token in self.refused_tokens:
            return _json(401, {"message": "Bad credentials"})
        left = self.left.setdefault((token, resource), LIMIT)
        if resource == "graphql" and method == "POST":
            status, value, cost = self._graphql(body, left)
        else:
            status, value, cost = (*self._rest(unquote(urlsplit(path).path), parse_qs(urlsplit(path).query)), 1)
        if left <= 0:
            cost, value = 0, {"message": "API rate limit exceeded"}
            status = 403
            if resource == "graphql":
                status, value = 200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
        self.left[token, resource] = max(0, left - cost)
        more = {
            "x-ratelimit-limit": str(LIMIT), "x-ratelimit-remaining": str(self.left[token, resource]),
            "x-ratelimit-reset": str(int(time.time()) + self.resets_in_s), "x-ratelimit-resource": resource,
        }  # fmt: skip
        if status == 301:
            more["Location"] = value["url"]
        return (status, more, value) if isinstance(value, bytes) else _json(status, value, more)

    def _graphql(self, body: bytes, left: int) -> tuple[int, Any, int]:
        try:
            request = json.loads(body)
            question = parse(request["query"], request.get("variables"))
            selection = question.operation.selection_set
            requests, nodes = counted(question, selection)
        except (ValueError, KeyError, Refused) as error:
            return 400, {"message": f"Problems parsing the query: {error}"}, 1
        aliases = [f for f in question.fields(selection) if f.name.value != "rateLimit"]
        cost = max(1, round(requests / 100))
        self.points += cost
        if nodes > MOST_NODES:
            message = f"This query requests up to {nodes} possible nodes"
            return 200, {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]}, cost
        values = {v for v in question.variables.values() if isinstance(v, str)}
        if values & self.heavy or (self.most_aliases and len(aliases) > self.most_aliases):
            return 502, b"<html><head><title>502 Bad Gateway</title></head></html>", cost
        root = {
            "__typename": "Query",
            "repository": self._repository,
            "node": self._node,
            "repositoryOwner": self._owner,
            "rateLimit": {
                "__typename": "RateLimit",
                "cost": cost,
                "remaining": max(0, left - cost),
                "resetAt": stamp(datetime.now(UTC) + timedelta(seconds=self.resets_in_s)),
            },
        }
        data, errors = execute(question, root)
        told = [{"type": e.code, "path": path, "message": str(e)} for path, e in errors]
        return 200, {"data": data} | ({"errors": told} if told else {}), cost

    def _lookup(self, asked: str, value: dict | None, what: str) -> dict:
        if asked in self.broken:
            error = self.broken[asked]
            raise Refused(error.get("type", ""), error.get("message", "broken"))
        if value is None:
            raise Refused("NOT_FOUND", f"Could not resolve to a {what} with the name '{asked}'.")
        return value

    def _repository(self, owner: str, name: str) -> dict:
        asked = f"{owner}/{name}".lower()
        if asked in self.blocked:
            raise Refused("FORBIDDEN", "Repository access blocked")
        shelf = self.shelves.get(self.names.get(asked, 0))
        return self._lookup(asked, shelf.repository if shelf else None, "Repository")

    def _node(self, id: str) -> dict:
        return self._lookup(id, self.nodes.get(id), "node")

    def _owner(self, login: str) -> dict:
        return self._lookup(login.lower(), self.owners.get(login.lower()), "User")

    def _rest(self, path: str, query: dict) -> tuple[int, Any]:
        found = re.fullmatch(r".*/repos/([^/]+/[^/]+)(/stargazers/history)?", path)
        if not found:
            return 404, {"message": "Not Found"}
        name = found[1].lower()
        if name in self.blocked:
            return 451, {"message": "Repository access blocked", "block": self.blocked[name]}
        shelf = self.shelves.get(self.names.get(name, 0))
        if shelf is None or (found[2] and not self.has_star_history):
            return 404, {"message": "Not Found"}
        number, full = shelf.repository["databaseId"], shelf.repository["nameWithOwner"]
        if not found[2]:
            if full.lower() != name:
                return 301, {"message": "Moved Permanently", "url": f"https://api.github.com/repositories/{number}"}
            return 200, {"id": number, "full_name": full}
        size, at = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        weeks = star_weeks(shelf.stars)
        return 200, weeks[(at - 1) * size : at * size]


def _json(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:
    more = {"Content-Type": "application/json; charset=utf-8"} | (headers or {})
    return status, more, json.dumps(value).encode()


def touch(item: dict, at: str) -> None:
    """An item's last change is the latest one."""
    item["updatedAt"] = max(item["updatedAt"], at)


def _owned(rows: list[dict], *, ownerAffiliations=("OWNER", "COLLABORATOR"), visibility=None, **pages) -> dict:
    """An account's repositories; those where it only collaborates come too unless they are asked to stay away."""
    if visibility == "PUBLIC":
        rows = [r for r in rows if not r["isPrivate"]]
    if list(ownerAffiliations) != ["OWNER"]:
        raise Refused("STAND_IN", "the stand-in knows owners only")
    return page(rows, **pages)


def star_weeks(stars: dict[date, int]) -> list[dict]:
    """The star history: weeks from Sunday on, newest first, those without a star too."""
    if not stars:
        return []
    first, last = min(stars), max(stars)
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    weeks = []
    while sunday > first - timedelta(days=7):
        days = [stars.get(sunday + timedelta(days=n), 0) for n in range(7)]
        week = int(datetime.combine(sunday, datetime.min.time(), UTC).timestamp())
        weeks.append({"week": week, "total": sum(days), "days": days})
        sunday -= timedelta(days=7)
    return weeks


def counted(question: Question, selection: SelectionSetNode | None, times: int = 1) -> tuple[int, int]:
    """Connection requests and nodes of a selection by GitHub's rule: every page as full as asked."""
    requests = nodes = 0
    for one in question.fields(selection):
        first = question.arguments(one).get("first")
        if first is not None:
            requests, nodes = requests + times, nodes + times * int(first)
        inner = counted(question, one.selection_set, times * int(first or 1))
        requests, nodes = requests + inner[0], nodes + inner[1]
    return requests, nodes


# -- the demo's world


@lru_cache(maxsize=2)
def github(seed: int = SEED) -> GitHub:
    """The API over the world of that seed."""
    made = GitHub()
    founder = _Founder(made, seed)
    for repo in world(seed).repos:
        founder.found(repo)
    for happening in happenings(seed):
        founder.add(happening)
    founder.finish()
    made.blocked["lost-letter/takedown"] = {"reason": "dmca", "created_at": "2025-06-01T00:00:00Z", "html_url": None}
    return made


class _Founder:
    """Writes what happened in the world down as what GitHub knows at its end."""

    def __init__(self, made: GitHub, seed: int) -> None:
        self.made = made
        everyone = [*world(seed).people, *world(seed).bots]
        self.by_email = {a.email.lower(): a for a in everyone}
        self.items: dict[tuple[int, int], dict] = {}
        self.shas: set[tuple[int, str]] = set()
        self.starred: set[tuple[int, int]] = set()

    def found(self, repo: Repo) -> None:
        shelf = self.made.add(
            repo.id, repo.names[-1][1], created_at=f"{repo.created_on}T07:12:00Z", default_branch=repo.default_branch,
            isFork=repo.is_fork, isArchived=repo.owner == "fadeout",
        )  # fmt: skip
        for _, name in repo.names[:-1]:
            self.made.names[name.lower()] = repo.id
        shelf.repository["watchers"] = connection([{"__typename": "User"}] * (repo.id % 40))

    def shown(self, who: Account | None) -> dict | None:
        """Nobody, if the account was deleted by the end of the world."""
        return None if who is None or who.deleted_on else person(who.id, who.login, who.kind)

    def add(self, h: Happening) -> None:
        """One event."""
        shelf, at, facts = self.made.shelves[h.repo.id], stamp(h.at), h.facts
        one = shelf.repository
        if h.type == "PushEvent":
            one["pushedAt"] = one["updatedAt"] = at
            if facts["branch"] == h.repo.default_branch:
                self.push(shelf, h)
        elif h.type == "WatchEvent":
            if h.actor and (h.repo.id, h.actor.id) not in self.starred and h.actor.id % 50:  # some took it back
                self.starred.add((h.repo.id, h.actor.id))
                shelf.stars[h.at.date()] += 1
                one["stargazerCount"] += 1
                one["updatedAt"] = at
        elif h.type == "ForkEvent":
            owner = self.shown(h.actor) or person(1, "ghost")
            name = f"{owner['login']}/{one['nameWithOwner'].partition('/')[2]}"
            shelf.forks.append(
                {"__typename": "Repository", "databaseId": facts["fork_id"], "nameWithOwner": name, "createdAt": at,
                 "owner": owner}
            )  # fmt: skip
            one["forkCount"] += 1
            one["updatedAt"] = at
        elif h.type == "ReleaseEvent":
            shelf.releases.append(
                {"__typename": "Release", "databaseId": facts["object_id"], "tagName": f"v{len(shelf.releases)}",
                 "isDraft": False, "isPrerelease": facts["prerelease"], "createdAt": at, "publishedAt": at,
                 "author": self.shown(h.actor)}
            )  # fmt: skip
        elif facts.get("item"):
            self.talk(shelf, h, at)

    def push(self, shelf: Shelf, h: Happening) -> None:
        """The commits of a push, each once; those that the archive's event cannot list as well."""
        listed = h.facts["commits"]
        for n in range(len(listed), h.facts["size"]):
            sha = hashlib.sha1(f"{h.id}/{n}".encode(), usedforsecurity=False).hexdigest()
            listed = [*listed, (sha, h.repo.team[0].git_name, h.repo.team[0].email, True)]
        for n, (sha, name, email, _) in enumerate(listed):
            if (h.repo.id, sha) in self.shas:
                continue
            self.shas.add((h.repo.id, sha))
            who = self.by_email.get((email or "").lower())
            linked = (
                who and who.kind == "User" and not who.deleted_on and who.id % 9
            )  # some e-mails belong to no account
            user = person(who.id, who.login) if linked else None
            at = stamp(h.at - timedelta(seconds=n))
            shelf.commits.append(
                {"__typename": "Commit", "oid": sha, "committedDate": at, "authoredDate": at, "additions": 10 + n,
                 "deletions": n, "changedFilesIfAvailable": 1,
                 "author": {"__typename": "GitActor", "name": name, "email": email, "user": user},
                 "committer": {"__typename": "GitActor", "name": "GitHub", "user": None}}
            )  # fmt: skip

    def talk(self, shelf: Shelf, h: Happening, at: str) -> None:
        """What happened to an issue or pull request."""
        facts, actor = h.facts, self.shown(h.actor)
        key = (h.repo.id, facts["item"].number)
        if key not in self.items:
            is_pull = facts["item"].is_pull
            opened = stamp(facts["item"].opened_at)
            author = self.shown(facts["item"].author)
            self.items[key] = self.made.item(shelf, facts["item"].number, opened, author, is_pull=is_pull)
        item = self.items[key]
        if h.type == "IssueCommentEvent":
            self.made.comment(item, facts["object_id"], at, self.shown(facts["user"]))
        elif h.type == "PullRequestReviewEvent":
            self.made.review(item, facts["object_id"], at, self.shown(facts["user"]), state="APPROVED")
            if facts["object_id"] % 10 == 0:
                self.made.review(item, facts["object_id"] + 2, None, self.shown(h.repo.team[0]))
        elif h.type == "PullRequestReviewCommentEvent":  # GitHub makes a review of each
            who = self.shown(facts["user"])
            self.made.review(item, facts["object_id"] + 1, at, who, [facts["object_id"]])
        elif facts["action"] == "closed" and facts["item"].merged_at:
            self.made.merge(item, at, actor)
        elif facts["action"] in ("closed", "reopened"):
            self.made.turn(item, at, actor, opens=facts["action"] == "reopened")

    def finish(self) -> None:
        """Commits newest first, by the order in which they arrived."""
        for shelf in self.made.shelves.values():
            shelf.commits.reverse()
            if not shelf.commits:
                shelf.repository |= {"isEmpty": True, "defaultBranchRef": None}
