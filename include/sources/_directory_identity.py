"""From what people write into the directory to one identity per artifact.

Everything is normalised or reported: an entry that names no artifact stays as a row
with status `unresolved` and the reason.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

OWNER = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,38})")
REPO = re.compile(r"[a-z0-9._-]{1,100}")
NO_OWNER = {"settings", "marketplace", "topics", "features", "search", "explore", "login", "about", "apps", "gist"}
EVM_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
SLUG = re.compile(r"[\w.@~+&()!'-]+")


@dataclass(frozen=True)
class Identity:
    """One artifact; `reason` is null when it is resolved."""

    kind: str
    identity: str
    reason: str | None = None


def identify(key: str, url: str) -> Identity:
    """The artifact that `url` under the directory's `key` (github, npm, …) names."""
    url = url.strip()
    kind = "github_repo" if key == "github" else key
    if not url:
        return Identity(kind, "", "the address is empty")
    try:
        host, steps = _split(url)
    except ValueError:
        return Identity(kind, url.lower(), "not an address")
    if "." not in host:
        return Identity(kind, url.lower(), "the address has no host, only a name")
    return _BY_KEY[key](url, host, steps)


def website(url: str) -> Identity:
    """A website: host in lower case and path, without scheme and final slash."""
    url = url.strip()
    try:
        host, steps = _split(url)
    except ValueError:
        return Identity("website", url.lower(), "not an address")
    if "." not in host:
        return Identity("website", url.lower(), "the address has no host" if url else "the address is empty")
    return Identity("website", "/".join([host, *steps]))


def address(text: str) -> Identity:
    """A chain address, trimmed and in lower case; 40 hex digits after 0x, or the reason why not."""
    text = text.strip().lower()
    if EVM_ADDRESS.fullmatch(text):
        return Identity("blockchain", text)
    if not text:
        reason = "the address is empty"
    elif not text.startswith("0x"):
        reason = "the address does not start with 0x"
    elif re.fullmatch(r"0x[0-9a-f]*", text):
        reason = f"the address has {len(text) - 2} hex digits, not 40"
    else:
        reason = "the address has characters other than hex digits"
    return Identity("blockchain", text, reason)


def _split(url: str) -> tuple[str, list[str]]:
    """Host in lower case and path steps, for `https://h/p`, `h/p` and `git@h:p`."""
    url = re.sub(r"^(https?):/(?!/)", r"\1://", url)  # two real entries lack a slash
    scp = re.fullmatch(r"(?:ssh://)?git@([^:/]+)[:/](.*)", url)
    if scp:
        url = f"https://{scp[1]}/{scp[2]}"
    elif "://" not in url:
        url = f"https://{url.removeprefix('//')}"
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    return host, [s for s in (unquote(s).strip() for s in parts.path.split("/")) if s]


def _github(url: str, host: str, steps: list[str]) -> Identity:
    if host != "github.com":
        return Identity("other", url.lower(), f"a github entry with an address on {host}")
    steps = [s.lower() for s in steps]
    if steps and steps[0] in ("orgs", "users", "sponsors"):
        steps = steps[1:2]
    if not steps or steps[0] in NO_OWNER or not OWNER.fullmatch(steps[0]):
        return Identity("github_owner", url.lower(), "the address names no owner")
    if len(steps) == 1:
        return Identity("github_owner", steps[0])
    repo = steps[1].removesuffix(".git")
    if not REPO.fullmatch(repo) or repo in (".", ".."):
        return Identity("github_repo", url.lower(), "the address names no repository")
    return Identity("github_repo", f"{steps[0]}/{repo}")


def _npm(url: str, host: str, steps: list[str]) -> Identity:
    if host not in ("npmjs.com", "npmjs.org"):
        return Identity("npm", url.lower(), f"an npm entry with an address on {host}")
    name = steps[1:] if steps and steps[0] == "package" else steps
    if name and name[0].startswith("@") and len(name) > 1:
        return Identity("npm", f"{name[0]}/{name[1]}")
    if name and SLUG.fullmatch(name[0]) and not name[0].startswith("@"):
        return Identity("npm", name[0])
    return Identity("npm", url.lower(), "the address names no package")


def _registry(kind: str, host_wanted: str, first: str | None, shape):
    """A reader of addresses like https://host/first/<slug>."""

    def read(url: str, host: str, steps: list[str]) -> Identity:
        if host != host_wanted:
            return Identity(kind, url.lower(), f"a {kind} entry with an address on {host}")
        if first and steps and steps[0] == first:
            steps = steps[1:]
        elif first:
            return Identity(kind, url.lower(), f"the address is not {host_wanted}/{first}/…")
        if not steps or not SLUG.fullmatch(steps[0]):
            return Identity(kind, url.lower(), "the address names nothing")
        return Identity(kind, shape(steps[0]))

    return read


def _go(url: str, host: str, steps: list[str]) -> Identity:
    if host == "pkg.go.dev":
        host, steps = (steps[0].lower(), steps[1:]) if steps else ("", [])
    if host == "github.com":
        found = _github(url, host, steps)
        if found.reason or found.kind != "github_repo":
            return Identity("go", url.lower(), found.reason or "the address names no module")
        return Identity("go", f"github.com/{found.identity}")
    if "." not in host or not steps:
        return Identity("go", url.lower(), "the address names no module")
    return Identity("go", "/".join([host, *steps]).removesuffix(".git"))


_BY_KEY = {
    "github": _github,
    "npm": _npm,
    "crates": _registry("crates", "crates.io", "crates", str.lower),
    "pypi": _registry("pypi", "pypi.org", "project", lambda s: re.sub(r"[-_.]+", "-", s).lower()),
    "go": _go,
    "open_collective": _registry("open_collective", "opencollective.com", None, str.lower),
    "defillama": _registry("defillama", "defillama.com", "protocol", str.lower),
}
URL_KEYS = tuple(_BY_KEY)
