"""Made-up event payloads with the fields, and about the sizes, of GitHub's own before and after 2025-10-07."""

import random

USER_LINKS = (
    "followers following{/other_user} gists{/gist_id} starred{/owner}{/repo} subscriptions organizations repos "
    "events{/privacy} received_events"
).split()
REPO_LINKS = (
    "forks keys{/key_id} collaborators{/collaborator} teams hooks issues/events{/number} events assignees{/user} "
    "branches{/branch} tags git/blobs{/sha} git/tags{/sha} git/refs{/sha} git/trees{/sha} statuses/{sha} languages "
    "stargazers contributors subscribers subscription commits{/sha} git/commits{/sha} comments{/number} "
    "issues/comments{/number} contents/{+path} compare/{base}...{head} merges {archive_format}{/ref} downloads "
    "issues{/number} pulls{/number} milestones{/number} notifications{?since,all,participating} labels{/name} "
    "releases{/id} deployments"
).split()
API, THEN = "https://api.github.com", "2025-04-30T11:01:01Z"


def _words() -> list[str]:
    rng = random.Random(99)
    return ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 10))) for _ in range(4000)]


WORDS = _words()


def login(number: int) -> str:
    """The login of an account."""
    return f"{WORDS[number % 4000]}{WORDS[number * 7 % 4000]}-{number % 997}"


def payload(rng: random.Random, kind: str, era: str) -> dict:
    """One payload of an event type; `era` is full or slim."""
    slim = era == "slim"
    if kind == "PushEvent":
        return _push(rng, slim)
    if kind in ("CreateEvent", "DeleteEvent"):
        more = {"master_branch": "main", "description": _text(rng, 8)} if kind == "CreateEvent" else {}
        return {"ref": _text(rng, 2), "ref_type": "branch", **more, "pusher_type": "user"}
    if kind == "WatchEvent":
        return {"action": "started"}
    if kind == "ForkEvent":
        return {"forkee": _repo(rng)}
    if kind == "ReleaseEvent":
        return {"action": "published", "release": _item(rng, 100) | {"author": _user(rng), "tag_name": "v1.2.3"}}
    if kind == "IssuesEvent":
        return {"action": "opened", "issue": _issue(rng)}
    if kind == "IssueCommentEvent":
        return {"action": "created", "issue": _issue(rng), "comment": _item(rng, 60)}
    pull = _slim_pull(rng) if slim else _pull(rng)
    if kind == "PullRequestEvent":
        return {"action": rng.choice(["opened", "closed", "closed"]), "number": pull["number"], "pull_request": pull}
    if kind == "PullRequestReviewEvent":
        return {"action": "created", "review": _item(rng, 12) | {"submitted_at": THEN}, "pull_request": pull}
    return {"action": "created", "comment": _item(rng, 25) | {"diff_hunk": _text(rng, 60)}, "pull_request": pull}


def _text(rng, words: int) -> str:
    return " ".join(WORDS[int(4000 * rng.random() ** 3)] for _ in range(words))


def _long_text(rng, mean: int) -> str:
    return _text(rng, int(rng.expovariate(1 / mean)))


def _sha(rng) -> str:
    return f"{rng.getrandbits(160):040x}"


def _push(rng, slim: bool) -> dict:
    branch = "main" if rng.random() < 0.6 else _text(rng, 2)
    push = {"repository_id": rng.getrandbits(29), "push_id": rng.getrandbits(34)}
    ends = {"ref": f"refs/heads/{branch}", "head": _sha(rng), "before": _sha(rng)}
    if slim:
        return push | ends
    commits = [
        {
            "sha": (sha := _sha(rng)),
            "author": {"email": f"{_sha(rng)}@users.noreply.github.com", "name": _text(rng, 2)},
            "message": _text(rng, 1 + int(rng.expovariate(1 / 9))),
            "distinct": True,
            "url": f"{API}/repos/{login(rng.randrange(10**6))}/{_text(rng, 1)}/commits/{sha}",
        }
        for _ in range(min(20, 1 + int(rng.expovariate(1 / 0.9))))
    ]
    return push | {"size": len(commits), "distinct_size": len(commits)} | ends | {"commits": commits}


def _user(rng) -> dict:
    number = rng.randrange(800_000)
    name = login(number)
    links = {f"{link.partition('{')[0]}_url": f"{API}/users/{name}/{link}" for link in USER_LINKS}
    known = {"login": name, "id": number + 1000, "node_id": f"MDQ6VXNlcj{number}", "gravatar_id": ""}
    return known | {"avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4"} | links | {"type": "User"}


def _repo(rng) -> dict:
    owner, short = _user(rng), _text(rng, 1)
    name = f"{owner['login']}/{short}"
    links = {
        link.partition("{")[0].strip("/").replace("/", "_") + "_url": f"{API}/repos/{name}/{link}"
        for link in REPO_LINKS
    }
    flags = dict.fromkeys(("private", "fork", "has_pages", "archived", "disabled", "is_template"), False)
    counts = {k: rng.randint(0, 9999) for k in ("size", "stargazers_count", "watchers_count", "forks_count", "forks")}
    times = {"created_at": "2021-03-02T10:11:12Z", "updated_at": THEN, "pushed_at": THEN}
    known = {"id": rng.getrandbits(29), "node_id": _sha(rng)[:16], "name": short, "full_name": name, "owner": owner}
    texts = {"description": _text(rng, 10), "language": "Python", "default_branch": "main", "visibility": "public"}
    return known | texts | links | flags | counts | times


def _item(rng, words: int) -> dict:
    """A comment, review or release."""
    head = {"url": f"{API}/{_text(rng, 1)}", "id": rng.getrandbits(31), "user": _user(rng), "commit_id": _sha(rng)}
    return head | {"created_at": THEN, "author_association": "NONE", "body": _long_text(rng, words)}


def _issue(rng) -> dict:
    base = f"{API}/repos/{login(rng.randrange(10**6))}/{_text(rng, 1)}/issues/{rng.randint(1, 9000)}"
    links = {f"{k}_url": f"{base}/{k}" for k in ("repository", "labels", "comments", "events", "html", "timeline")}
    known = {"url": base, "id": rng.getrandbits(31), "number": rng.randint(1, 9000), "title": _text(rng, 8)}
    state = {"user": _user(rng), "labels": [], "state": "open", "assignees": [], "comments": rng.randint(0, 30)}
    return known | links | state | {"created_at": THEN, "closed_at": None, "body": _long_text(rng, 70)}


def _pull(rng) -> dict:
    issue = _issue(rng)
    sides = {
        side: {"label": _text(rng, 1), "ref": _text(rng, 2), "sha": _sha(rng), "user": _user(rng), "repo": _repo(rng)}
        for side in ("head", "base")
    }
    links = {name: {"href": f"{issue['url']}/{name}"} for name in ("self", "html", "issue", "commits", "statuses")}
    state = {"draft": False, "merged": False, "merged_at": None, "merged_by": None, "merge_commit_sha": _sha(rng)}
    counts = {k: rng.randint(0, 999) for k in ("commits", "additions", "deletions", "changed_files")}
    return issue | sides | {"_links": links} | state | counts


def _slim_pull(rng) -> dict:
    base, number = f"{API}/repos/{login(rng.randrange(10**6))}/{_text(rng, 1)}", rng.randint(1, 9000)
    repo = {"id": rng.getrandbits(29), "url": base, "name": _text(rng, 1)}
    sides = {side: {"ref": _text(rng, 2), "sha": _sha(rng), "repo": repo} for side in ("head", "base")}
    return {"url": f"{base}/pulls/{number}", "id": rng.getrandbits(31), "number": number} | sides
