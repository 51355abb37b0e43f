"""The made-up world: its people, repositories, projects and collections.

Everything follows from the seed; nothing reads the clock. Names are invented.
What happens in the world is in activity.py, how it is archived in archive.py.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from random import Random

SEED = 20250501
FIRST_DAY = date(2025, 5, 1)
LAST_DAY = date(2025, 10, 27)
CUT_OVER = date(2025, 10, 7)  # payloads are slim from here on
OUTAGE = (date(2025, 10, 9), date(2025, 10, 14))  # both inclusive

FRONT = "brin clo dra fen gli har jun kel lum mor nar ovi pel quil rav sor tam ulm ves wyn zel".split()
MIDDLE = "a e i o u ba de lo mi no ra sa ti vu".split()
END = "dle fox gate kit lark mint nest pine reef stone tide vale wick yard zone".split()
FIRST_NAMES = (
    "Ásta Bao Ciro Dória Émile Fenna Grete Håkon Ilse Jörg Kaja Łucja Mei Noor Oļegs Pía Quill Rüya Søren Tove".split()
)
LAST_NAMES = "Brandt Çelik Dvořák Eide Fuchs Großmann Holm Ibáñez Jansen Krátký Lindqvist Nagy Ortiz Šimić Yıldız 李 小林 Иванова".split()
# what sprout lists besides GitHub
PYPI, CRATE = "sprout-kit", "sproutling"
ONCHAIN, TOOLKIT, DEPLOYER = "0xabcdef0123456789abcdef0123456789abcdef01", "0x" + "5e" * 20, "0x" + "de" * 20
SPROUT = f"""pypi:
  - url: https://pypi.org/project/Sprout_Kit/
crates:
  - url: https://crates.io/crates/{CRATE}
blockchain:
  - address: "{TOOLKIT}"
    tags: [contract]
    networks: [mainnet, optimism, base]
  - address: "{DEPLOYER}"
    tags: [deployer, eoa]
    networks: [mainnet, optimism]"""
HOSTS = ("mail.example", "post.example", "dev.example.org", "corp.example.net")


@dataclass(frozen=True, slots=True)
class Account:
    """A person, bot or organisation; `deleted_on` is the day from which GitHub shows nobody."""

    id: int
    login: str
    kind: str = "User"
    git_name: str = ""
    email: str = ""
    deleted_on: date | None = None


@dataclass(slots=True)
class Repo:
    """A repository; `names` are (first day, owner/name), ascending."""

    id: int
    names: list[tuple[date, str]]
    created_on: date
    default_branch: str = "main"
    is_fork: bool = False
    pace: float = 0.1  # working size: about the pushes on a weekday
    team: list[Account] = field(default_factory=list)

    def name_on(self, day: date) -> str:
        """The full name that day."""
        return next(name for since, name in reversed(self.names) if since <= day or since == self.names[0][0])

    @property
    def owner(self) -> str:
        """The owner's login."""
        return self.names[0][1].partition("/")[0]


@dataclass(slots=True)
class Project:
    """An entry of the directory with its GitHub addresses as a person typed them."""

    name: str
    display_name: str
    description: str = ""
    github: list[str] = field(default_factory=list)
    websites: list[str] = field(default_factory=list)
    extra: str = ""  # more YAML


@dataclass(slots=True)
class Collection:
    """A named list of project names."""

    name: str
    display_name: str
    projects: list[str]


class World:
    """All that exists. Build it through `world()`, which keeps one."""

    def __init__(self, seed: int = SEED) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.people: list[Account] = []
        self.bots: list[Account] = []
        self.repos: list[Repo] = []
        self.projects: list[Project] = []
        self.collections: list[Collection] = []
        self._words: set[str] = set()
        self._populate()
        self._plain_projects()
        self._special_projects()
        self._gather()

    def word(self) -> str:
        """A new invented name."""
        while True:
            word = self.random.choice(FRONT) + self.random.choice(MIDDLE) + self.random.choice(END)
            if word not in self._words:
                self._words.add(word)
                return word

    def repo(self, full_name: str, pace: float, **more) -> Repo:
        """Founds a repository with a team of its own."""
        r = self.random
        created = more.pop("created_on", None) or FIRST_DAY - timedelta(days=r.randint(40, 2500))
        branch = more.pop("default_branch", None) or r.choices(["main", "master", "trunk"], [75, 20, 5])[0]
        repo = Repo(700_000_000 + 137 * len(self.repos), [(FIRST_DAY, full_name)], created, branch, pace=pace, **more)
        repo.team = r.sample(self.people[:300], 2 + int(min(4, pace * 2)))
        self.repos.append(repo)
        return repo

    def _populate(self) -> None:
        r = self.random
        for n in range(390):
            login = self.word() + r.choice(["", "", "-dev", "42", "x"])
            name = f"{r.choice(FIRST_NAMES)} {r.choice(LAST_NAMES)}"
            gone = FIRST_DAY + timedelta(days=r.randint(5, 150)) if n % 40 == 39 else None
            email = f"{r.choice(['', 'me.', 'Git.'])}{login}@{r.choice(HOSTS)}"
            self.people.append(Account(10_000 + 7 * n, login, "User", name, email, gone))
        # a human whose name only looks like a bot's
        self.people[3] = Account(10_021, "abbot", "User", "Abigail Abbot", "abbot@post.example")
        for n, login in enumerate(["renovate[bot]", "dependabot[bot]", "mergeling[bot]"]):
            self.bots.append(Account(90_001 + n, login, "Bot", login, f"{90_001 + n}+{login}@users.noreply.example"))
        # a bot that GitHub calls a User: only the list of bot logins knows it
        self.bots.append(Account(90_010, "k8s-ci-robot", "User", "Robot of the cluster", "robot@corp.example.net"))

    def _pace(self) -> float:
        return self.random.choices([1.6, 0.35, 0.06, 0.012], [7, 28, 50, 15])[0]

    def _plain_projects(self) -> None:
        """Forty-two projects: every third lists an owner, the others single repositories."""
        r = self.random
        for n in range(42):
            name = self.word()
            repos = [self.repo(f"{name}-{r.choice(['labs', 'org', 'hq'])}/{self.word()}", self._pace())]
            owner = repos[0].owner
            repos += [self.repo(f"{owner}/{self.word()}", self._pace()) for _ in range(r.randint(1, 6))]
            if n % 3 == 0:
                github = [f"https://github.com/{owner}"]
            else:
                github = [f"https://github.com/{repo.names[0][1]}" for repo in repos[: r.randint(1, 6)]]
            self._add(name, github)

    def _add(self, name: str, github: list[str], *, display: str = "", description: str = "", **more) -> Project:
        project = Project(name, display or name.title(), description or f"{name.title()} makes things.", github, **more)
        self.projects.append(project)
        return project

    def _special_projects(self) -> None:
        """Projects with what hurts in reality; names are stable, so that tests can point at them."""
        add, repo, day = self._add, self.repo, date.fromisoformat
        # a repository renamed inside a listed owner
        renamed = repo("brindle-works/loomkit", 1.2, default_branch="main")
        renamed.names.append((day("2025-05-15"), "brindle-works/loom"))
        repo("brindle-works/shuttle", 0.4)
        add("brindle", ["https://github.com/Brindle-Works/"], display="Brindlé Wörks 🧵")
        # listed under its old and its new address by the same project
        moved = repo("vexel-lab/oldpath", 1.0, default_branch="main")
        moved.names.append((day("2025-05-10"), "vexel-lab/newpath"))
        add("vexel", ["https://github.com/Vexel-Lab/oldpath.git", "https://github.com/vexel-lab/newpath/tree/main"])
        # an explicit repository beats its owner; the owner's fork belongs to nobody
        repo("tidewater/anchor", 1.5, default_branch="main")
        repo("tidewater/buoy", 0.5)
        repo("tidewater/forked-tool", 0.6, is_fork=True, default_branch="main")
        add("harbor-core", ["https://github.com/tidewater/anchor"])
        add("tidewater", ["https://github.com/orgs/tidewater/repositories"], display="潮水 Tidewater")
        # claimed explicitly by two, and an owner claimed by two
        repo("reefhub/shared-sdk", 1.4, default_branch="main")
        repo("reefhub/fins", 0.5)
        add("mirrorfish", ["https://github.com/reefhub/shared-sdk", "https://github.com/ReefHub/Shared-SDK/"])
        add("coralnet", ["https://github.com/reefhub/shared-sdk", "https://github.com/reefhub/fins"])
        repo("twinstar/east", 0.6)
        repo("twinstar/west", 0.3)
        add("castor-twin", ["https://github.com/twinstar"])
        add("pollux-twin", ["https://github.com/twinstar", "https://github.com/twinstar/"])
        # commits that live in two repositories of one project, and of two projects of one collection
        repo("copyleft-hall/original", 1.2, default_branch="main")
        repo("copyleft-hall/copy", 0.4, default_branch="main")
        repo("pressroom/reprint", 0.4, default_branch="master")
        add("copyhall", ["https://github.com/copyleft-hall/original", "https://github.com/copyleft-hall/copy"])
        add("pressroom", ["https://github.com/pressroom/reprint"])
        # repositories founded inside the time of the world
        repo("sprout-garden/seedling", 0.9, created_on=day("2025-05-12"), default_branch="main")
        repo("sprout-garden/sapling", 0.9, created_on=day("2025-07-03"), default_branch="main")
        add("sprout", ["https://github.com/sprout-garden"], extra=SPROUT)
        # full-time and part-time people, a branch called develop, silence from August on
        repo("steady-hands/lathe", 2.0, default_branch="develop")
        add("steady", ["https://github.com/steady-hands/lathe"], description="Two lines,\n  with \u202f and “quotes”.")
        repo("fadeout/echo", 0.8, default_branch="main")
        add("fadeout", ["https://github.com/fadeout/echo"])
        # no artifact, and only addresses that name nothing
        add("paper-only", [], websites=["https://paper-only.example"])
        add("quiet-hill", [], display="Quiet Hill")
        add("lost-letter", ["https://lost-letter", "https://github.com/settings", "http://gitlab.example/a/b"])
        add("ghost-ship", ["https://github.com/ghost-ship/never-seen"])
        add("Under_Score.io", ["http://www.github.com/steady-hands/lathe-docs/blob/main/README.md"])
        repo("steady-hands/lathe-docs", 0.2, default_branch="main")

    def _gather(self) -> None:
        """Three collections; one project is in two, one membership is written twice, one names a broken file."""
        names = [p.name for p in self.projects]
        self.collections = [
            Collection("meadow", "Meadow", [*names[:20], "copyhall", "pressroom", "brindle", names[2]]),
            Collection("seaside", "Seaside – 海辺", ["harbor-core", "tidewater", "mirrorfish", "coralnet", "vexel", "brindle"]),
            Collection("workshop", "Workshop", [*names[25:35], "steady", "sprout", "castor-twin", "pollux-twin", "torn-page"]),
        ]  # fmt: skip

    @cached_property
    def by_name(self) -> dict[str, Repo]:
        """Repositories by each of their full names."""
        return {name: repo for repo in self.repos for _, name in repo.names}


def hashed_email(email: str) -> str:
    """The archive's form of an e-mail: sha1 of the local part, @, host."""
    local, _, host = email.rpartition("@")
    return f"{hashlib.sha1(local.encode(), usedforsecurity=False).hexdigest()}@{host}"


@lru_cache(maxsize=2)
def world(seed: int = SEED) -> World:
    """The world of that seed, built once."""
    return World(seed)
