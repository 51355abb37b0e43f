"""How GitHub Archive writes an event down, in full until 2025-10-06 and slim from 2025-10-07 on."""

import json
from datetime import datetime

from demo.activity import Happening, Item
from demo.world import CUT_OVER, Account, Repo, hashed_email

API = "https://api.github.example"


def line(happening: Happening) -> bytes:
    """The event as one line of an hour file, newline included."""
    repo, at = happening.repo, happening.at
    name = repo.name_on(at.date())
    event = {
        "id": str(happening.id),
        "type": happening.type,
        "actor": actor(happening.actor),
        "repo": {"id": repo.id, "name": name, "url": f"{API}/repos/{name}"},
        "payload": payload(happening, slim=at.date() >= CUT_OVER),
        "public": True,
        "created_at": stamp(at),
    }
    if "-" in repo.owner:
        event["org"] = {
            "id": repo.id // 1000,
            "login": repo.owner,
            "gravatar_id": "",
            "url": f"{API}/orgs/{repo.owner}",
        }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def payload(happening: Happening, *, slim: bool) -> dict:
    """The payload of the event's type; types without one of their own get an action only."""
    form = _FORMS.get(happening.type)
    return form(happening, slim) if form else {"action": "created"}


def actor(account: Account | None) -> dict | None:
    """The account as an event's actor; null once it is deleted."""
    if account is None:
        return None
    shown = account.login.removesuffix("[bot]")
    return {
        "id": account.id, "login": account.login, "display_login": shown, "gravatar_id": "",
        "url": f"{API}/users/{account.login}", "avatar_url": f"https://avatars.example/u/{account.id}?",
    }  # fmt: skip


def user(account: Account | None) -> dict | None:
    """The account as a payload shows it."""
    if account is None:
        return None
    return {
        "login": account.login,
        "id": account.id,
        "node_id": f"U_{account.id}",
        "type": account.kind,
        "site_admin": False,
    }


def stamp(at: datetime | None) -> str | None:
    """A time as the archive writes it."""
    return at and at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _push(h: Happening, slim: bool) -> dict:
    commits = h.facts["commits"]
    found = {
        "repository_id": h.repo.id,
        "push_id": h.id // 3,
        "ref": f"refs/heads/{h.facts['branch']}",
        "head": commits[-1][0],
        "before": f"{h.id:040x}",
    }
    if slim:
        return found
    listed = [
        {
            "sha": sha,
            "author": None if name is None else {"email": hashed_email(email), "name": name},
            "message": "Änderung",
            "distinct": distinct,
            "url": f"{API}/commits/{sha}",
        }
        for sha, name, email, distinct in commits
    ]
    found |= {"size": h.facts["size"], "distinct_size": sum(c["distinct"] for c in listed), "commits": listed}
    return found


def _base(repo: Repo, at: datetime, slim: bool) -> dict:
    base = {"ref": repo.default_branch, "sha": f"{repo.id:040x}"}
    name = repo.name_on(at.date())
    base["repo"] = {"id": repo.id, "url": f"{API}/repos/{name}", "name": name.partition("/")[2]}
    if not slim:
        created = datetime.combine(repo.created_on, datetime.min.time())
        base["repo"] |= {
            "full_name": name, "private": False, "fork": repo.is_fork, "created_at": stamp(created),
            "default_branch": repo.default_branch, "stargazers_count": 0, "open_issues_count": 0,
        }  # fmt: skip
    return base


def _pull(h: Happening, slim: bool, *, of_event: bool) -> dict:
    """A pull request; `of_event` is its own event, which alone tells who merged."""
    item: Item = h.facts["item"]
    found = {
        "url": f"{API}/repos/{h.repo.name_on(h.at.date())}/pulls/{item.number}",
        "id": h.repo.id * 10 + item.number,
        "number": item.number,
        "head": {"ref": f"patch-{item.number}", "sha": f"{item.number:040x}", "repo": None},
        "base": _base(h.repo, h.at, slim),
    }
    if slim and of_event:
        return found
    found |= {
        "state": "closed" if item.closed_at else "open", "locked": False, "title": f"Pull {item.number}",
        "user": user(item.author), "body": None, "created_at": stamp(item.opened_at), "updated_at": stamp(h.at),
        "closed_at": stamp(item.closed_at), "merged_at": stamp(item.merged_at), "draft": False, "labels": [],
        "author_association": "CONTRIBUTOR",
    }  # fmt: skip
    if of_event:
        found |= {
            "merged": item.merged_at is not None,
            "merged_by": user(item.merged_by),
            "comments": 0,
            "additions": 3,
        }
    return found


def _pull_event(h: Happening, slim: bool) -> dict:
    item: Item = h.facts["item"]
    action = h.facts["action"]
    if slim and action == "closed" and item.merged_at:
        action = "merged"
    return {"action": action, "number": item.number, "pull_request": _pull(h, slim, of_event=True)}


def _on_pull(key: str):
    def form(h: Happening, slim: bool) -> dict:
        thing = {"id": h.facts["object_id"], "user": user(h.facts["user"]), "body": "…", "commit_id": f"{h.id:040x}"}
        if key == "review":
            thing |= {"submitted_at": stamp(h.at), "state": "commented"}
        else:
            thing |= {"created_at": stamp(h.at), "updated_at": stamp(h.at)}
        return {"action": "created", key: thing, "pull_request": _pull(h, slim, of_event=False)}

    return form


def _issue(h: Happening) -> dict:
    item: Item = h.facts["item"]
    name = h.repo.name_on(h.at.date())
    found = {
        "url": f"{API}/repos/{name}/issues/{item.number}", "id": h.repo.id * 10 + item.number, "number": item.number,
        "title": f"№ {item.number}", "user": user(item.author), "labels": [], "locked": False, "comments": 0,
        "state": "closed" if item.closed_at else "open", "created_at": stamp(item.opened_at),
        "updated_at": stamp(h.at), "closed_at": stamp(item.closed_at), "body": "…",
    }  # fmt: skip
    if item.is_pull:
        found["pull_request"] = {"url": f"{API}/repos/{name}/pulls/{item.number}", "merged_at": stamp(item.merged_at)}
    return found


def _issue_event(h: Happening, slim: bool) -> dict:
    return {"action": h.facts["action"], "issue": _issue(h)}


def _comment(h: Happening, slim: bool) -> dict:
    comment = {"id": h.facts["object_id"], "user": user(h.facts["user"]), "created_at": stamp(h.at), "body": "…"}
    return {"action": "created", "issue": _issue(h), "comment": comment}


def _release(h: Happening, slim: bool) -> dict:
    release = {
        "id": h.facts["object_id"], "author": user(h.actor), "tag_name": f"v{h.id % 97}", "draft": False,
        "prerelease": h.facts["prerelease"], "created_at": stamp(h.at), "published_at": stamp(h.at), "assets": [],
    }  # fmt: skip
    return {"action": "published", "release": release}


def _fork(h: Happening, slim: bool) -> dict:
    forkee = {
        "id": 900_000_000 + h.facts["fork_id"], "name": h.repo.names[0][1].partition("/")[2], "fork": True,
        "full_name": f"{h.actor.login}/{h.repo.names[0][1].partition('/')[2]}", "owner": user(h.actor),
        "created_at": stamp(h.at), "default_branch": h.repo.default_branch, "public": True,
    }  # fmt: skip
    return {"action": "forked", "forkee": forkee} if slim else {"forkee": forkee}


def _create(h: Happening, slim: bool) -> dict:
    kind = h.facts["ref_type"]
    ref = None if kind == "repository" else f"branch-{h.id % 89}"
    found = {"ref": ref, "ref_type": kind, "pusher_type": "user"}
    if h.type == "CreateEvent":
        found |= {"master_branch": h.repo.default_branch, "description": None}
    if slim and ref:
        found["full_ref"] = f"refs/heads/{ref}"
    return found


_FORMS = {
    "PushEvent": _push,
    "PullRequestEvent": _pull_event,
    "PullRequestReviewEvent": _on_pull("review"),
    "PullRequestReviewCommentEvent": _on_pull("comment"),
    "IssuesEvent": _issue_event,
    "IssueCommentEvent": _comment,
    "ReleaseEvent": _release,
    "ForkEvent": _fork,
    "CreateEvent": _create,
    "DeleteEvent": _create,
    "WatchEvent": lambda h, slim: {"action": "started"},
    "PublicEvent": lambda h, slim: {},
}
