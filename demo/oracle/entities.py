"""Which repository belongs to whom: the directory's addresses, resolved by hand-made rules."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def normalised(url: str) -> str | None:
    """'owner' or 'owner/repo' in lower case; None if the address names neither on GitHub."""
    parts = urlsplit(url.strip().lower())
    if parts.netloc not in ("github.com", "www.github.com"):
        return None
    steps = [s for s in parts.path.split("/") if s]
    if steps and steps[0] == "orgs":
        steps = steps[1:2]
    if not steps or steps[0] == "settings":
        return None
    if len(steps) == 1:
        return steps[0]
    return f"{steps[0]}/{steps[1].removesuffix('.git')}"


def listed(projects: Mapping[str, list[str]]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Projects by repository name and by owner that they list."""
    repos: dict[str, set[str]] = {}
    owners: dict[str, set[str]] = {}
    for project, urls in projects.items():
        for name in filter(None, map(normalised, urls)):
            (repos if "/" in name else owners).setdefault(name, set()).add(project)
    return repos, owners


def tracked(name: str, repos: Mapping[str, set[str]], owners: Mapping[str, set[str]]) -> bool:
    """Whether events of this full name are followed."""
    name = name.lower()
    return name in repos or name.partition("/")[0] in owners


def ownership(
    projects: Mapping[str, list[str]], aliases: Mapping[int, set[str]], forks: set[int]
) -> dict[str, set[int]]:
    """Repositories of each project. An explicit listing beats one through the owner, which leaves forks out."""
    repos, owners = listed(projects)
    found: dict[str, set[int]] = {}
    for repo_id, names in aliases.items():
        names = {n.lower() for n in names}
        holders = set().union(*(repos.get(n, set()) for n in names))
        if not holders and repo_id not in forks:
            holders = set().union(*(owners.get(n.partition("/")[0], set()) for n in names))
        for project in holders:
            found.setdefault(project, set()).add(repo_id)
    return found


def gathered(collections: Mapping[str, list[str]], owned: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Distinct repositories of each collection."""
    found = {name: set().union(*(owned.get(p, set()) for p in members)) for name, members in collections.items()}
    return {name: repos for name, repos in found.items() if repos}
