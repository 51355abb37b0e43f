"""What GitHub's API told of the days that it was asked for, by the API rules of the catalogue, object by object."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from demo.github_api import GitHub, Shelf
from demo.oracle import entities
from demo.oracle.coverage import FAMILIES
from demo.oracle.events import FAMILY, Event, git_person, is_bot, moment, nid, person
from demo.world import hashed_email

OVERLAP = timedelta(days=14)  # a day brings the commits of the two weeks before it too, if the repository changed since
ACCOUNT = {"databaseId": "id", "login": "login", "__typename": "type"}
Asked = set[tuple[int, str, date]]  # repository, family, day


@dataclass
class Told:
    """Facts by repository, whose e-mail is whose, what was asked for in full, and the events of those days."""

    full: Asked = field(default_factory=set)
    names: dict[int, set[str]] = field(default_factory=dict)  # current and former
    created: dict[int, date] = field(default_factory=dict)
    forks: dict[int, bool] = field(default_factory=dict)
    branches: dict[int, str] = field(default_factory=dict)  # of those that are not empty
    accounts: dict[tuple[str, str], dict] = field(default_factory=dict)  # by git author
    events: list[Event] = field(default_factory=list)


def tell(github: GitHub, projects: Mapping[str, list[str]], days: Collection[date]) -> Told:
    """What asking for these days tells of the repositories that the projects list, by name or by owner."""
    found = Told()
    repos, owners = entities.listed(projects)
    shown: dict[tuple[str, str], Counter] = {}
    for name, number in github.names.items():
        if entities.tracked(name, repos, owners):
            found.names.setdefault(number, set()).add(name)
    for number in found.names:
        shelf = github.shelves[number]
        facts = shelf.repository
        found.names[number].add(facts["nameWithOwner"])
        found.created[number] = moment(facts["createdAt"]).date()
        found.forks[number] = facts["isFork"]
        if facts["defaultBranchRef"]:
            found.branches[number] = facts["defaultBranchRef"]["name"]
        families = [f for f in FAMILIES if f != "stars" or github.has_star_history]
        found.full |= {(number, family, day) for family in families for day in days}
        found.events += [e for e in _events(shelf) if (number, FAMILY[e.type], e.day) in found.full]
        for commit in _brought(shelf, days):
            account = _account(commit["author"]["user"])
            who = _git_author(commit)
            if who and account:
                shown.setdefault(who, Counter())[tuple(account.items())] += 1
    for who, accounts in shown.items():
        found.accounts[who] = dict(min(accounts, key=lambda one: (-accounts[one], dict(one)["id"])))
    return found


def united(archived: list[Event], told: Told) -> list[Event]:
    """The events of both providers, commits by whom the API shows: of one id the API's, then the archive's."""
    found = {e.event_id: e for e in told.events}
    for event in archived:
        found.setdefault(event.event_id, event)
    events = []
    for event in found.values():
        if account := told.accounts.get(event.actor):
            bot = event.actor_is_bot or is_bot(account)
            event = replace(event, actor=person(account), actor_is_bot=bot, subject_is_bot=bot)
        events.append(event)
    return sorted(events, key=lambda e: (e.at, e.event_id))


def _account(node: dict | None) -> dict | None:
    """An account as the archive's payloads write it."""
    return node and {name: node[key] for key, name in ACCOUNT.items()}


def _git_author(commit: dict) -> tuple[str, str] | None:
    email = commit["author"]["email"]
    return git_person({"email": email and hashed_email(email)})


def _brought(shelf: Shelf, days: Collection[date]) -> list[dict]:
    """The commits that come with these days; a repository that did not change since a day is not read for it."""
    facts = shelf.repository
    times = [facts["pushedAt"], facts["updatedAt"], *(item["updatedAt"] for item in (*shelf.pulls, *shelf.issues))]
    changed_at = max(moment(at) for at in times)
    read = []
    for day in days:
        start = datetime.combine(day, time(), UTC)
        if changed_at >= start and moment(facts["createdAt"]) < start + timedelta(days=1):
            read.append((start - OVERLAP, start + timedelta(days=1)))
    return [c for c in shelf.commits if any(start <= moment(c["committedDate"]) < end for start, end in read)]


def _events(shelf: Shelf) -> Iterator[Event]:
    """Everything that ever happened in a repository, as it is known now."""
    facts = shelf.repository
    number = facts["databaseId"]

    def event(kind: str, at: str, *key: object, who: dict | None = None, whose: dict | None = None, **more) -> Event:
        who, whose = _account(who), _account(whose)
        return Event(
            event_id=nid("event", "GITHUB", kind, str(number), *map(str, key)),
            type=kind,
            at=moment(at),
            repo_id=number,
            raw_id="0",
            **{"actor": person(who), "actor_is_bot": is_bot(who), "subject_is_bot": is_bot(whose)} | more,
        )

    for commit in shelf.commits:
        if not facts["isFork"] or commit["committedDate"] >= facts["createdAt"]:
            account = _account(commit["author"]["user"])
            bot = is_bot(account) or (commit["author"]["name"] or "").lower().endswith("[bot]")
            who = {"actor": person(account) or _git_author(commit), "actor_is_bot": bot, "subject_is_bot": bot}
            yield event("COMMIT_CODE", commit["committedDate"], commit["oid"], sha=commit["oid"], **who)
    for release in shelf.releases:
        if not release["isDraft"]:
            who, stable = release["author"], not release["isPrerelease"]
            yield event("RELEASE_PUBLISHED", release["publishedAt"], release["databaseId"], who=who, stable=stable)
    for fork in shelf.forks:
        yield event("FORKED", fork["createdAt"], fork["databaseId"], who=fork["owner"])
    for day, stars in shelf.stars.items():
        if stars:
            yield event("STARRED", f"{day}T00:00:00Z", day, amount=stars)
    for item in (*shelf.pulls, *shelf.issues):
        yield from _item_events(item, event)


def _item_events(item: dict, event) -> Iterator[Event]:
    """What happened to an issue or pull request; its own row, which tells its opening, comes on its great days alone."""
    author, opened, merged = item["author"], item["createdAt"], item["mergedAt"]
    told_on = {at[:10] for at in (opened, item["closedAt"], merged) if at}
    kind = "PULL_REQUEST" if item["__typename"] == "PullRequest" else "ISSUE"

    def one(kind: str, at: str, *key: object, **more) -> Event:
        about = {
            "number": item["number"],
            "author": person(_account(author)),
            "author_is_bot": is_bot(_account(author)),
        }
        return event(kind, at, *key, opened_at=moment(opened) if at[:10] in told_on else None, **about, **more)

    yield one(f"{kind}_OPENED", opened, item["number"], who=author, whose=author)
    if merged:
        yield one("PULL_REQUEST_MERGED", merged, item["number"], who=item["mergedBy"], whose=author)
    for turn in item["_events"]:
        at = turn["createdAt"]
        is_close = turn["__typename"] == "ClosedEvent"
        if not (is_close and merged and abs(moment(at) - moment(merged)) <= timedelta(seconds=60)):
            second = int(moment(at).timestamp())
            done = f"{kind}_{'CLOSED' if is_close else 'REOPENED'}"
            yield one(done, at, item["number"], second, who=turn["actor"], whose=author)
    for comment in item["_comments"]:
        who = comment["author"]
        yield one("ISSUE_COMMENT", comment["createdAt"], comment["fullDatabaseId"], who=who, whose=who)
    for review in item["_reviews"]:
        if review["state"] == "PENDING":
            continue
        said = [("PULL_REQUEST_REVIEW", review["submittedAt"], review)]
        for comment in review["comments"](first=100)["nodes"]:
            said.append(("PULL_REQUEST_REVIEW_COMMENT", comment["publishedAt"], comment))
        for what, at, node in said:
            who = node["author"]
            own = bool(who and author) and who["databaseId"] == author["databaseId"]
            yield one(what, at, node["fullDatabaseId"], who=who, whose=who, own_item=own)
