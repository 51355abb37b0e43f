"""From the archive's lines to the catalogue's events, by the rules of the catalogue, one at a time."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

CUT_OVER = date(2025, 10, 7)
BOT_LOGINS = {"k8s-ci-robot", "renovate-bot", "dependabot-preview", "codecov-io", "snyk-bot", "rust-highfive"}
ACT = {"COMMIT_CODE", "ISSUE_OPENED", "PULL_REQUEST_OPENED", "PULL_REQUEST_MERGED"}
WORK = ACT | {
    "PULL_REQUEST_CLOSED", "PULL_REQUEST_REOPENED", "ISSUE_CLOSED", "ISSUE_REOPENED", "ISSUE_COMMENT",
    "PULL_REQUEST_REVIEW", "PULL_REQUEST_REVIEW_COMMENT",
}  # fmt: skip
FAMILY = dict.fromkeys(("PULL_REQUEST_MERGED", "PULL_REQUEST_CLOSED", "PULL_REQUEST_REOPENED"), "pulls_closed")
FAMILY |= dict.fromkeys(("ISSUE_OPENED", "ISSUE_CLOSED", "ISSUE_REOPENED"), "issues")
FAMILY |= dict.fromkeys(("PULL_REQUEST_REVIEW", "PULL_REQUEST_REVIEW_COMMENT"), "reviews")
FAMILY |= {"COMMIT_CODE": "commits", "PULL_REQUEST_OPENED": "pulls_opened", "ISSUE_COMMENT": "comments"}
FAMILY |= {"RELEASE_PUBLISHED": "releases", "STARRED": "stars", "FORKED": "forks"}
Person = tuple[str, str]  # ('GITHUB', 'user:7') or ('GIT', 'email:…')


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the catalogue; unknown people are None, unknown bot flags False."""

    event_id: str
    type: str
    at: datetime
    repo_id: int
    raw_id: str
    actor: Person | None = None
    actor_is_bot: bool = False
    subject_is_bot: bool = False
    sha: str | None = None
    own_item: bool = False  # the actor is the author of the item reviewed
    number: int | None = None  # of the issue or pull request that it is about, as the payload tells the next three
    opened_at: datetime | None = None
    author: Person | None = None
    author_is_bot: bool = False
    stable: bool = False  # a release that is no prerelease
    amount: int = 1

    @property
    def day(self) -> date:
        """UTC day."""
        return self.at.date()


def nid(*parts: str) -> str:
    """The id of these parts: the first 32 hex digits of the SHA-256 of `len:part,` for each."""
    text = "".join(f"{len(part)}:{part}," for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_bot(account: dict | None) -> bool:
    """Whether a GitHub account (login, type) is a bot; nobody is none."""
    if not account:
        return False
    login = (account.get("login") or "").lower()
    return account.get("type") == "Bot" or login.endswith("[bot]") or login in BOT_LOGINS


def person(account: dict | None) -> Person | None:
    """A GitHub account by its number, never its login."""
    return ("GITHUB", f"user:{account['id']}") if account and account.get("id") is not None else None


def git_person(author: dict | None) -> Person | None:
    """A git author by the archive's hashed e-mail, the host in lower case."""
    email = (author or {}).get("email")
    if not email:
        return None
    local, _, host = email.rpartition("@")
    return ("GIT", f"email:{local}@{host.lower()}")


def moment(text: str | None) -> datetime | None:
    """A time of the archive."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def distinct_lines(lines: Iterable[dict]) -> list[dict]:
    """Each event of the archive once, however many files have it."""
    return list({line["id"]: line for line in lines}.values())


def default_branches(lines: Iterable[dict]) -> dict[int, str]:
    """Default branch by repository, as far as any payload tells."""
    found = {}
    for line in lines:
        payload = line["payload"]
        told = _base(payload).get("default_branch") or payload.get("master_branch")
        if told:
            found[line["repo"]["id"]] = told
    return found


def facts_of_repos(lines: Iterable[dict]) -> tuple[dict[int, date], set[int]]:
    """Day of creation by repository and the forks, as far as any payload tells."""
    created, forks = {}, set()
    for line in lines:
        repo_id, base = line["repo"]["id"], _base(line["payload"])
        if base.get("created_at"):
            created[repo_id] = moment(base["created_at"]).date()
        if line["type"] == "CreateEvent" and line["payload"].get("ref_type") == "repository":
            created[repo_id] = moment(line["created_at"]).date()
        if base.get("fork"):
            forks.add(repo_id)
    return created, forks


def _base(payload: dict) -> dict:
    return ((payload.get("pull_request") or {}).get("base") or {}).get("repo") or {}


def read_events(
    lines: Iterable[dict], told_branches: Mapping[int, str] | None = None, asked: Collection = ()
) -> list[Event]:
    """The catalogue's events of these lines, each event id once: the earliest, then the smallest raw id.

    Those of `asked` (repository, family, day) are another provider's to tell; `told_branches` are its default branches.
    """
    lines = distinct_lines(lines)
    branches = default_branches(lines) | (told_branches or {})
    found: dict[str, Event] = {}
    for line in lines:
        for event in _translate(line, branches):
            if (event.repo_id, FAMILY[event.type], event.day) in asked:
                continue
            kept = found.get(event.event_id)
            if kept is None or (event.at, int(event.raw_id)) < (kept.at, int(kept.raw_id)):
                found[event.event_id] = event
    return sorted(found.values(), key=lambda e: (e.at, e.event_id))


def short_pushes(lines: Iterable[dict]) -> set[tuple[int, date]]:
    """(repository, day) of pushes that list fewer commits than they have."""
    return {
        (line["repo"]["id"], moment(line["created_at"]).date())
        for line in lines
        if line["type"] == "PushEvent" and line["payload"].get("size", 0) > len(line["payload"].get("commits") or ())
    }


def _translate(line: dict, branches: dict[int, str]) -> list[Event]:
    """The events of one line."""
    kind, payload = line["type"], line["payload"]
    action = payload.get("action")
    if kind == "PushEvent":
        return _commits(line, branches)
    if kind == "PullRequestEvent":
        return _pull_request(line)
    if kind == "IssuesEvent" and action in ("opened", "closed", "reopened"):
        return [_issue(line)]
    if kind in _TALK and action == "created":
        return [_talk(line)]
    if kind == "ReleaseEvent" and action == "published":
        release = payload["release"]
        return [
            _event(
                line,
                "RELEASE_PUBLISHED",
                str(release["id"]),
                who=release.get("author"),
                stable=not release["prerelease"],
            )
        ]
    if kind == "WatchEvent" and action == "started":
        key = (str((line["actor"] or {}).get("id")), line["created_at"][:10])
        return [_event(line, "STARRED", *key, who=line["actor"])]
    if kind == "ForkEvent":
        return [_event(line, "FORKED", str(payload["forkee"]["id"]), who=line["actor"])]
    return []


def _event(line: dict, kind: str, *key: str, who: dict | None, whose: dict | None = None, at=None, **more) -> Event:
    """An event of the line's repository; `who` did it, `whose` work it is (both GitHub accounts)."""
    repo_id, payload = line["repo"]["id"], line["payload"]
    item = payload.get("issue") or payload.get("pull_request")
    if item:
        author = whose if kind.endswith("_OPENED") else item.get("user")
        more |= {
            "number": item["number"],
            "opened_at": moment(item.get("created_at")),
            "author": person(author),
            "author_is_bot": is_bot(author),
        }
    return Event(
        event_id=nid("event", "GITHUB", kind, str(repo_id), *key),
        type=kind,
        at=at or moment(line["created_at"]),
        repo_id=repo_id,
        raw_id=line["id"],
        actor=person(who),
        actor_is_bot=is_bot(who),
        subject_is_bot=is_bot(whose),
        **more,
    )


def _commits(line: dict, branches: dict[int, str]) -> list[Event]:
    at, repo_id, payload = moment(line["created_at"]), line["repo"]["id"], line["payload"]
    counted = {f"refs/heads/{b}" for b in ("main", "master", branches.get(repo_id, "main"))}
    if at.date() >= CUT_OVER or payload["ref"] not in counted:
        return []
    found = []
    for commit in payload.get("commits") or ():
        author = commit.get("author") or {}
        bot = (author.get("name") or "").lower().endswith("[bot]")
        event_id = nid("event", "GITHUB", "COMMIT_CODE", str(repo_id), commit["sha"])
        found.append(
            Event(event_id, "COMMIT_CODE", at, repo_id, line["id"], git_person(author), bot, bot, sha=commit["sha"])
        )
    return found


def _pull_request(line: dict) -> list[Event]:
    payload, at = line["payload"], moment(line["created_at"])
    pull, action = payload["pull_request"], payload["action"]
    number, doer = str(payload["number"]), line["actor"]
    second = str(int(at.timestamp()))
    before = at.date() < CUT_OVER
    if action == "opened":
        author = pull["user"] if "user" in pull else doer  # slim payloads do not name the author; it is who opens
        return [
            _event(line, "PULL_REQUEST_OPENED", number, who=author, whose=author, at=moment(pull.get("created_at")))
        ]
    author = pull.get("user")
    if action == "reopened":
        return [_event(line, "PULL_REQUEST_REOPENED", number, second, who=doer, whose=author)]
    if before and (action == "merged" or (action == "closed" and pull.get("merged_at"))):
        merger = pull.get("merged_by") or doer
        return [_event(line, "PULL_REQUEST_MERGED", number, who=merger, whose=author, at=moment(pull.get("merged_at")))]
    if before and action == "closed":
        return [_event(line, "PULL_REQUEST_CLOSED", number, second, who=doer, whose=author)]
    return []


def _issue(line: dict) -> Event:
    issue, action = line["payload"]["issue"], line["payload"]["action"]
    author, number = issue.get("user"), str(issue["number"])
    if action == "opened":
        return _event(line, "ISSUE_OPENED", number, who=author, whose=author)
    second = str(int(moment(line["created_at"]).timestamp()))
    kind = "ISSUE_CLOSED" if action == "closed" else "ISSUE_REOPENED"
    return _event(line, kind, number, second, who=line["actor"], whose=author)


_TALK = {
    "IssueCommentEvent": ("ISSUE_COMMENT", "comment", "issue"),
    "PullRequestReviewEvent": ("PULL_REQUEST_REVIEW", "review", "pull_request"),
    "PullRequestReviewCommentEvent": ("PULL_REQUEST_REVIEW_COMMENT", "comment", "pull_request"),
}


def _talk(line: dict) -> Event:
    kind, thing, item = _TALK[line["type"]]
    said = line["payload"][thing]
    who, author = said.get("user"), line["payload"][item].get("user")
    own = person(who) is not None and person(who) == person(author)
    return _event(line, kind, str(said["id"]), who=who, whose=who, own_item=own)
