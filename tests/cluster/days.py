"""Three days that touch every event type, a month's end, a bot, a missing hour and a repeated line."""

from datetime import date
from pathlib import Path

from tests.e2e.world import World

FIRST, LAST = date(2024, 2, 28), date(2024, 3, 1)
R1, R2, R3 = (1, "one/r1"), (2, "one/r2"), (3, "two/r3")
ANN, BOB, BOT = (
    {"id": 7, "login": "ann"},
    {"id": 8, "login": "bob"},
    {"id": 40, "login": "helper[bot]", "type": "Bot"},
)


def write_days(folder: Path) -> dict[str, str]:
    """Writes the archive and the directory below `folder`; returns their connections."""
    world = World(folder, FIRST, LAST)
    _pushes(world)
    _issues_and_pull_requests(world)
    for number, day in enumerate(("2024-02-28", "2024-02-29", "2024-03-01")):
        for user in range(20, 23 + number):
            world.star(f"{day} 0{number + 1}:00:00", (R1, R2, R3)[user % 3], user)
    world.put(world.events[(FIRST, 1)][0], FIRST, 2)  # the next file repeats a line
    fork = {"forkee": {"id": 90, "full_name": "bob/r1", "created_at": "2024-02-29T07:00:00Z"}}
    world.event("2024-02-29 07:00:00", "ForkEvent", R1, fork, actor=8)
    release = {"id": 60, "author": ANN, "prerelease": False, "published_at": "2024-03-01T09:00:00Z"}
    world.event("2024-03-01 09:00:00", "ReleaseEvent", R2, {"action": "published", "release": release})
    connections = world.write(
        {
            "x": ["https://github.com/One/r1.git", "https://github.com/one/r2"],
            "y": ["https://github.com/one/r1", "https://github.com/two/r3", "https://github.com/two/gone"],
            "z": ["https://github.com/one"],
        },
        {"k": ["x", "y"], "l": ["z"]},
    )
    (folder / "archive" / "2024-03-01-20.json.gz").unlink()
    return connections


def _pushes(world: World) -> None:
    world.push("2024-02-28 10:00:00", R1, [("a1", "A"), ("a2", "B")])
    world.push("2024-02-29 23:59:59", R2, [("m1", "A"), ("m2", "Ünï çødé")], ref="master")
    world.push("2024-02-29 12:00:00", R3, [("m1", "A")])
    world.push("2024-03-01 00:00:00", R1, [("a3", "B"), ("a4", "renovate[bot]")])
    world.push("2024-03-01 05:00:00", R1, [("f1", "C")], ref="feature")


def _issues_and_pull_requests(world: World) -> None:
    issue = {"number": 1, "user": ANN, "created_at": "2024-02-28T11:00:00Z", "closed_at": None}
    world.event("2024-02-28 11:00:00", "IssuesEvent", R1, {"action": "opened", "issue": issue})
    closed = issue | {"closed_at": "2024-03-01T11:30:00Z"}
    world.event("2024-03-01 11:30:00", "IssuesEvent", R1, {"action": "closed", "issue": closed}, actor=8)
    for number, (user, actor) in enumerate([(BOB, 8), (ANN, 7), (BOT, 40)]):
        comment = {"id": 70 + number, "user": user, "created_at": "2024-02-29T08:00:00Z"}
        payload = {"action": "created", "issue": issue, "comment": comment}
        world.event("2024-02-29 08:00:00", "IssueCommentEvent", R1, payload, actor=actor)
    request = {"number": 2, "user": BOB, "created_at": "2024-02-28T12:00:00Z", "merged": False}
    world.event("2024-02-28 12:00:00", "PullRequestEvent", R1, {"action": "opened", "pull_request": request}, actor=8)
    review = {"id": 80, "user": ANN, "state": "approved", "submitted_at": "2024-02-29T13:00:00Z"}
    payload = {"action": "created", "review": review, "pull_request": request}
    world.event("2024-02-29 13:00:00", "PullRequestReviewEvent", R1, payload)
    merged = request | {"merged": True, "merged_by": ANN}
    merged |= {"merged_at": "2024-03-01T14:00:00Z", "closed_at": "2024-03-01T14:00:00Z"}
    world.event("2024-03-01 14:00:00", "PullRequestEvent", R1, {"action": "closed", "pull_request": merged})
    dropped = {"number": 3, "user": BOT, "created_at": "2024-02-29T15:00:00Z", "closed_at": "2024-02-29T16:00:00Z"}
    world.event("2024-02-29 15:00:00", "PullRequestEvent", R3, {"action": "opened", "pull_request": dropped}, actor=40)
    world.event("2024-02-29 16:00:00", "PullRequestEvent", R3, {"action": "closed", "pull_request": dropped}, actor=40)
