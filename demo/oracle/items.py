"""What can be told of issues and pull requests: how long they took, who talked before a merge, what is open."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from demo.oracle.events import Event

TALK = {"ISSUE_COMMENT", "PULL_REQUEST_REVIEW", "PULL_REQUEST_REVIEW_COMMENT"}
RESPONSES = TALK | {"ISSUE_CLOSED", "PULL_REQUEST_CLOSED", "PULL_REQUEST_MERGED"}
TURNS = ("ISSUE_OPENED", "ISSUE_CLOSED", "ISSUE_REOPENED")  # in one second in this order


@dataclass
class Cases:
    """Measured (day, value) by measure, and the history of every issue: its turns in order of time."""

    values: dict[str, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))
    issues: list[list[Event]] = field(default_factory=list)

    def between(self, measure: str, start: date, end: date) -> list[int]:
        """The values of a measure from start to end, in order of size."""
        return sorted(value for day, value in self.values[measure] if start <= day <= end)

    def ages(self, last: date) -> list[int]:
        """Seconds that the issues of known humans open at the end of the day have been there."""
        end = datetime.combine(last + timedelta(days=1), time(), UTC)
        found = []
        for turns in self.issues:
            newest = next((e for e in reversed(turns) if e.at < end), None)
            if newest and newest.type != "ISSUE_CLOSED" and _is_human(newest) and newest.opened_at:
                found.append(int((end - newest.opened_at).total_seconds()))
        return sorted(found)


def _is_human(event: Event) -> bool:
    return event.author is not None and not event.author_is_bot


def _told(events: list[Event]) -> Iterator[Event]:
    """The events of one item, each with what the opening tells where the event itself does not."""
    opening = next((e for e in events if e.type.endswith("_OPENED")), None)
    for event in events:
        if event is opening:
            yield replace(event, opened_at=event.at)
            continue
        told = event
        if opening and opening.at <= event.at:
            if told.author is None:
                told = replace(told, author=opening.author, author_is_bot=opening.author_is_bot)
            told = replace(told, opened_at=told.opened_at or opening.at)
        if told.opened_at and told.opened_at > told.at:
            told = replace(told, opened_at=None)
        yield told


def cases_of(events: Iterable[Event]) -> Cases:
    """What the events of these repositories tell, item by item."""
    items: dict[tuple[int, int], list[Event]] = defaultdict(list)
    releases: dict[int, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda e: (e.at, e.event_id)):
        if event.number is not None:
            items[event.repo_id, event.number].append(event)
        if event.stable:
            releases[event.repo_id].append(event)
    found = Cases()
    for history in items.values():
        told = list(_told(history))
        _measure(found, [e for e in told if _is_human(e)])
        turns = sorted((e for e in told if e.type in TURNS), key=lambda e: (e.at, TURNS.index(e.type), e.event_id))
        found.issues.append(turns)
    for made in releases.values():
        for before, after in zip(made, made[1:], strict=False):
            found.values["release_gap"].append((after.day, int((after.at - before.at).total_seconds())))
    return found


def _measure(found: Cases, events: list[Event]) -> None:
    def keep(measure: str, event: Event | None) -> None:
        if event:
            found.values[measure].append((event.day, int((event.at - event.opened_at).total_seconds())))

    def of_another(event: Event) -> bool:
        return event.actor is not None and not event.actor_is_bot and event.actor != event.author

    dated = [e for e in events if e.opened_at]
    keep("response", next((e for e in dated if e.type in RESPONSES and of_another(e)), None))
    keep("close", next((e for e in dated if e.type == "ISSUE_CLOSED"), None))
    keep("merge", next((e for e in dated if e.type == "PULL_REQUEST_MERGED"), None))
    for merge in (e for e in events if e.type == "PULL_REQUEST_MERGED"):
        talk = {e.type for e in events if e.at <= merge.at and e.type in TALK and of_another(e)}
        found.values["reviewed"].append((merge.day, int("PULL_REQUEST_REVIEW" in talk)))
        if merge.actor is not None:
            found.values["self_merged"].append((merge.day, int(merge.actor == merge.author and not talk)))
