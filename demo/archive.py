"""The hour files of the two archives: which line is in which file, what is lost, twice, late or broken.

Both archives hold most lines; some are in one of them only. The made-up rest of GitHub
(untracked repositories) is written line by line when an hour is asked for.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random

from demo.activity import Happening, happenings
from demo.payload import line
from demo.world import CUT_OVER, FIRST_DAY, LAST_DAY, OUTAGE, SEED

ARCHIVES = ("archive", "archive2")
Hour = tuple[date, int]


def _hours(*texts: str) -> frozenset[Hour]:
    return frozenset((date.fromisoformat(t[:10]), int(t[11:])) for t in texts)


MISSING = {  # hours that answer 404
    "archive": _hours(
        "2025-05-07-15", "2025-05-13-4", "2025-06-18-10", "2025-06-18-11", "2025-07-02-8", "2025-08-20-3"
    ),
    "archive2": _hours("2025-05-13-4", "2025-05-20-6", "2025-06-18-10", "2025-06-18-11", "2025-08-20-3"),
}
EMPTY = _hours("2025-07-30-2", "2025-08-27-2")  # zero bytes in the first archive, the later one in both
THIN_DAYS = {date(2025, 5, 21): 0.4, date(2025, 6, 26): 0.1}  # share of the lines that was kept
LATE_NIGHTS = frozenset(date.fromisoformat(d) for d in ("2025-05-09", "2025-06-14", "2025-08-03", "2025-09-10"))
BROKEN = _hours("2025-05-06-9", "2025-05-16-13", "2025-08-12-7")  # one line of the first archive cannot be read
MIX = (
    ("PushEvent", 58), ("CreateEvent", 12), ("PullRequestEvent", 8), ("WatchEvent", 8), ("IssueCommentEvent", 5),
    ("DeleteEvent", 4), ("IssuesEvent", 3), ("ForkEvent", 1), ("HologramEvent", 1),
)  # fmt: skip


class Archive:
    """The files of the world's archives: hours of FIRST_DAY to the hour after LAST_DAY."""

    def __init__(self, seed: int = SEED) -> None:
        self.seed = seed
        self.placed: dict[str, dict[Hour, list[Happening]]] = {name: {} for name in ARCHIVES}
        r = Random(seed + 2)
        for happening in happenings(seed):
            self._place(happening, r)

    def _place(self, happening: Happening, r: Random) -> None:
        """Decides the files of one event."""
        at, dice, where = happening.at, r.random(), r.random()
        kept = _share(at.date())
        if r.random() >= kept:
            return
        hour = (at.date(), at.hour)
        following = _next(hour)
        crosses = following[0] != hour[0]
        late = at.date() in LATE_NIGHTS if crosses else dice < 0.01
        hours = [following] if late else [hour]
        if not late and not crosses and dice > 0.98:
            hours.append(following)
        elif late and crosses and dice > 0.5:
            hours.append(hour)
        archives = ARCHIVES[:1] if where < 0.03 else ARCHIVES[1:] if where > 0.98 else ARCHIVES
        for archive in archives:
            for one in hours:
                self.placed[archive].setdefault(one, []).append(happening)

    def hours(self) -> Iterator[Hour]:
        """Every hour that a landing of all days reads."""
        day = FIRST_DAY
        while day <= LAST_DAY:
            yield from ((day, hour) for hour in range(24))
            day += timedelta(days=1)
        yield day, 0

    def tracked_lines(self, archive: str, day: date, hour: int) -> list[bytes]:
        """The lines of the world's own repositories in a file."""
        return [line(h) for h in self.placed[archive].get((day, hour), [])]

    def lines(self, archive: str, day: date, hour: int) -> list[bytes] | None:
        """All lines of a file, in the order of the file; None if it answers 404."""
        if (day, hour) in MISSING[archive] or not FIRST_DAY <= day <= LAST_DAY + timedelta(days=1):
            return None
        if (day, hour) in EMPTY and (archive == ARCHIVES[0] or day > date(2025, 8, 1)):
            return []
        r = Random(f"{self.seed}/{day}/{hour}")
        found = [*self.tracked_lines(archive, day, hour), *_noise(r, day, hour)]
        r.shuffle(found)
        if (day, hour) in BROKEN and archive == ARCHIVES[0]:
            found.insert(len(found) // 2, _broken(day, hour))
        return found

    def file(self, archive: str, day: date, hour: int) -> bytes | None:
        """The file itself; None if it answers 404."""
        found = self.lines(archive, day, hour)
        if found is None:
            return None
        return gzip.compress(b"".join(found), 1, mtime=0) if found else b""

    def write(self, folder: Path, archive: str = ARCHIVES[0], days: list[date] | None = None) -> int:
        """Writes the files of one archive (of `days`, and hour 0 after them) into a folder; returns how many."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = None if days is None else {(d, h) for d in days for h in range(24)} | {_next((d, 23)) for d in days}
        count = 0
        for day, hour in self.hours():
            if wanted is None or (day, hour) in wanted:
                body = self.file(archive, day, hour)
                if body is not None:
                    (folder / file_name(day, hour)).write_bytes(body)
                    count += 1
        return count


def file_name(day: date, hour: int) -> str:
    """The name of an hour's file; the hour is not padded."""
    return f"{day}-{hour}.json.gz"


def _next(hour: Hour) -> Hour:
    at = datetime.combine(hour[0], time(hour[1]), UTC) + timedelta(hours=1)
    return at.date(), at.hour


def _share(day: date) -> float:
    """The share of a day's lines that the archives hold."""
    return 0.01 if OUTAGE[0] <= day <= OUTAGE[1] else THIN_DAYS.get(day, 1.0)


def _noise(r: Random, day: date, hour: int) -> list[bytes]:
    """Events of repositories that nobody follows; the same in both archives."""
    usual = 230 + 70 * (8 <= hour <= 20) - 50 * (day.weekday() >= 5)
    count = max(1, int((usual + r.randint(-20, 20)) * _share(day)))
    kinds = r.choices([k for k, _ in MIX], [n for _, n in MIX], k=count)
    start = 60_000_000_000 + ((day - FIRST_DAY).days * 24 + hour) * 1000
    stamp = f"{day}T{hour:02d}:%02d:%02dZ"
    slim = day >= CUT_OVER
    return [
        _noise_line(r, start + n, kind, stamp % divmod(n * 3599 // count, 60), slim) for n, kind in enumerate(kinds)
    ]


def _noise_line(r: Random, number: int, kind: str, stamp: str, slim: bool) -> bytes:
    who, repo = r.randrange(20_000), r.randrange(9_000)
    if kind == "PushEvent":
        body = f'{{"repository_id":{repo},"push_id":{number},"ref":"refs/heads/main","head":"{number:040x}","before":"{who:040x}"'
        if not slim:
            body += (
                f',"size":1,"distinct_size":1,"commits":[{{"sha":"{number:040x}","author":{{"email":"{who:040x}@post.example",'
                f'"name":"passer-by {who}"}},"message":"…","distinct":true}}]'
            )
        body += "}"
    elif kind == "WatchEvent":
        body = '{"action":"started"}'
    else:
        body = f'{{"action":"created","number":{who}}}'
    return (
        f'{{"id":"{number}","type":"{kind}","actor":{{"id":{3_000_000 + who},"login":"passer{who}","display_login":"passer{who}"}},'
        f'"repo":{{"id":{repo + 1},"name":"elsewhere{repo % 777}/thing{repo}"}},"payload":{body},"public":true,'
        f'"created_at":"{stamp}"}}\n'
    ).encode()


def _broken(day: date, hour: int) -> bytes:
    """A line cut in the middle, or a private event without a repository."""
    if hour == 13:
        return (
            f'{{"id":"1","type":"PushEvent","actor":{{"id":1,"login":"x"}},"repo":{{}},"payload":{{}},"public":false,'
            f'"created_at":"{day}T13:00:00Z"}}\n'
        ).encode()
    return b'{"id":"2","type":"PushEvent","actor":{"id":2,"log\n'


@lru_cache(maxsize=2)
def archive(seed: int = SEED) -> Archive:
    """The archives of the world of that seed."""
    return Archive(seed)
