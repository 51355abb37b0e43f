"""The directory as people write it, and as an attacker would."""

import io
import os
import tarfile
from datetime import UTC, date, datetime, timedelta

import pytest

from include.errors import ContractBroken, FixNeeded, SuspectData, Unavailable, WindowRefused
from include.http import HttpClient
from include.sources import get_source
from include.sources._directory_files import read_tree, tarball_url
from include.sources._directory_identity import address, identify, website
from include.sources.base import Batch, Connection, Context, Coverage, Previous, Rejected, Unchanged, Window
from include.sources.oss_directory import artifact_rows, parse_file
from tests.sources.standins import ACME, acme_directory, write_directory

SOURCE = get_source("oss_directory")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TODAY = NOW.date()
SHA = "0123456789abcdef0123456789abcdef01234567"


def fetch(place, day=TODAY, **context):
    made = Context(connection=Connection(urls=(f"file://{place}",)), http=HttpClient(), now=NOW, **context)
    return list(SOURCE.fetch(Window.of(day), made))


def rows(items, stream):
    return [row for i in items if isinstance(i, Batch) and i.stream == stream for row in i.rows.to_pylist()]


def rejected(items):
    return {i.part: i.reason for i in items if isinstance(i, Rejected)}


def tarball(path, members, *, comment=None, mtime=1_770_000_000):
    """A tar.gz of (name, bytes) or TarInfo members."""
    headers = {"comment": comment} if comment else {}
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, body = member
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(body), mtime
            archive.addfile(info, io.BytesIO(body))
    return path


def acme_tarball(path, *extra, **kwargs):
    return tarball(path, [("repo-main/data/projects/a/acme.yaml", ACME.encode()), *extra], **kwargs)


# identities, expected values worked out by hand


@pytest.mark.parametrize(
    ("url", "kind", "identity"),
    [
        ("https://github.com/Acme/Rocket", "github_repo", "acme/rocket"),
        ("https://github.com/acme/rocket.git", "github_repo", "acme/rocket"),
        ("https://github.com/acme/rocket/", "github_repo", "acme/rocket"),
        ("https://www.github.com/acme/rocket/blob/main/README.md", "github_repo", "acme/rocket"),
        ("http://github.com/acme/rocket/tree/main/src?x=1#y", "github_repo", "acme/rocket"),
        ("git@github.com:acme/rocket.git", "github_repo", "acme/rocket"),
        ("github.com/acme/rocket", "github_repo", "acme/rocket"),
        (" https://github.com/ACME/ ", "github_owner", "acme"),
        ("https://github.com/orgs/Acme/repositories", "github_owner", "acme"),
        ("https://github.com/acme?tab=repositories", "github_owner", "acme"),
    ],
)
def test_a_github_address_names_one_owner_or_repository(url, kind, identity):
    found = identify("github", url)
    assert (found.kind, found.identity, found.reason) == (kind, identity, None)


@pytest.mark.parametrize(
    ("key", "url", "kind", "identity"),
    [
        ("npm", "https://www.npmjs.com/package/@Babel/core", "npm", "@Babel/core"),
        ("npm", "https://www.npmjs.com/package/left-pad/v/1.3.0", "npm", "left-pad"),
        ("crates", "https://crates.io/crates/Serde", "crates", "serde"),
        ("pypi", "https://pypi.org/project/Zope.Interface_x/", "pypi", "zope-interface-x"),
        ("go", "https://github.com/Acme/Rocket", "go", "github.com/acme/rocket"),
        ("go", "https://pkg.go.dev/golang.org/x/Text", "go", "golang.org/x/Text"),
        ("open_collective", "https://opencollective.com/Babel", "open_collective", "babel"),
        ("defillama", "https://defillama.com/protocol/dinero-(pxeth)", "defillama", "dinero-(pxeth)"),
    ],
)
def test_a_package_address_names_one_package(key, url, kind, identity):
    found = identify(key, url)
    assert (found.kind, found.identity, found.reason) == (kind, identity, None)


@pytest.mark.parametrize(
    ("key", "url", "reason"),
    [
        ("github", "https://ophis-fi", "no host"),
        ("github", "", "empty"),
        ("github", "https://gitlab.com/a/b", "address on gitlab.com"),
        ("github", "https://github.com/", "no owner"),
        ("github", "https://github.com/a b/c", "no owner"),
        ("crates", "https://www.npmjs.com/package/@pulseai/sdk", "address on npmjs.com"),
        ("npm", "https://www.npmjs.com/package/", "no package"),
        ("npm", "https://www.npmjs.com/package/@scope", "no package"),
        ("go", "https://[bad", "not an address"),
    ],
)
def test_an_address_that_names_nothing_is_reported(key, url, reason):
    assert reason in identify(key, url).reason


@pytest.mark.parametrize(
    ("given", "identity", "reason"),
    [
        ("0xABCDEF0123456789abcdef0123456789ABCDEF01", "0xabcdef0123456789abcdef0123456789abcdef01", None),
        ("0x" + "a" * 40 + " ", "0x" + "a" * 40, None),
        ("0x" + "a" * 39, "0x" + "a" * 39, "39 hex digits"),
        ("0x" + "a" * 40 + "s", "0x" + "a" * 40 + "s", "other than hex"),
        ("", "", "empty"),
    ],
)
def test_a_chain_address_is_40_hex_digits_or_reported(given, identity, reason):
    found = address(given)
    assert found.identity == identity
    assert found.reason is None if reason is None else reason in found.reason


def test_a_website_is_host_and_path():
    assert website("https://WWW.Acme.org/Docs/").identity == "acme.org/Docs"
    assert website("https:/acme.org/").identity == "acme.org"
    assert website("https://acme").reason == "the address has no host"


def test_duplicates_inside_a_project_become_one_row_with_all_tags():
    document = {
        "name": "acme",
        "github": [{"url": "https://github.com/acme/x"}, {"url": "https://github.com/Acme/X/"}],
        "blockchain": [
            {"address": "0x" + "A" * 40, "networks": ["base", "optimism"], "tags": ["eoa"]},
            {"address": "0x" + "a" * 40, "networks": ["base"], "tags": ["eoa", "deployer"]},
        ],
    }
    assert [(r[1], r[2], r[3], r[4]) for r in artifact_rows(document)] == [
        ("github_repo", "acme/x", None, []),
        ("blockchain", "0x" + "a" * 40, "base", ["eoa", "deployer"]),
        ("blockchain", "0x" + "a" * 40, "optimism", ["eoa"]),
    ]


# one bad file costs one file


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"name: [unclosed", "not YAML"),
        (b"- a\n- b\n", "not a mapping"),
        (b"version: 7\n", "no name"),
        (b"name: ../../etc/passwd\n", "not usable"),
        (b'name: "a\\nb"\n', "not usable"),
        (b"name: acme\n", "taken by data/projects/a/acme.yaml"),
        (b"name: x\n\xff\xfe\x00", "not YAML"),
        (b"name: x\nv: " + b"[" * 20_000, "not YAML"),
        (b"name: x\nv: !!python/object/apply:os.system [ls]\n", "not YAML"),
        (
            b"name: x\na: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(98, 106)),
            "aliases expanded",
        ),
    ],
    ids=["yaml", "list", "nameless", "path", "newline", "taken", "bytes", "deep", "python", "bomb"],
)
def test_one_bad_file_is_set_aside_and_the_others_land(tmp_path, body, reason):
    folder = acme_directory(tmp_path)
    (folder / "data/projects/b").mkdir()
    (folder / "data/projects/b/bad.yaml").write_bytes(body)
    items = fetch(folder)
    assert [r["name"] for r in rows(items, "projects")] == ["acme", "tools"]
    assert list(rejected(items)) == ["data/projects/b/bad.yaml"]
    assert reason in rejected(items)["data/projects/b/bad.yaml"]
    coverage = {i.stream: (i.expected, i.observed) for i in items if isinstance(i, Coverage)}
    assert coverage == {"projects": (3, 2), "collections": (1, 1)}


def test_unknown_keys_odd_shapes_and_names_survive(tmp_path):
    text = "name: 3327\nsocial:\n  - x\nsince: 2020-01-02\ngithub: https://github.com/one\nnew_key: {5: ünï}\n"
    items = fetch(write_directory(tmp_path, {"odd": text}))
    ((project,), (artifact,)) = rows(items, "projects"), rows(items, "artifacts")
    assert project["name"] == "3327" and '"new_key":{"5":"ünï"}' in project["_payload"]
    assert (artifact["kind"], artifact["identity"], artifact["status"]) == ("github_owner", "one", "ok")


def test_a_collection_lists_each_member_once(tmp_path):
    items = fetch(acme_directory(tmp_path))
    assert [(r["collection_name"], r["project_name"]) for r in rows(items, "collection_members")] == [
        ("space", "acme"),
        ("space", "tools"),
    ]


def test_a_readme_is_no_project(tmp_path):
    folder = acme_directory(tmp_path)
    (folder / "data/projects/README.md").write_text("# hi")
    assert rejected(fetch(folder)) == {}


# tarballs


def test_a_tarball_gives_its_commit_and_the_commits_time(tmp_path):
    (project,) = rows(fetch(acme_tarball(tmp_path / "x.tar.gz", comment=SHA)), "projects")
    assert (project["sha"], project["committed_at"]) == (SHA, datetime.fromtimestamp(1_770_000_000, UTC))
    assert project["path"] == "data/projects/a/acme.yaml"


def test_without_a_commit_the_content_is_the_version_whatever_the_packing(tmp_path):
    (packed,) = rows(fetch(acme_tarball(tmp_path / "x.tar.gz")), "projects")
    (folder,) = rows(fetch(write_directory(tmp_path / "folder", {"acme": ACME})), "projects")
    assert packed["sha"] == folder["sha"] and len(packed["sha"]) == 64
    assert packed["committed_at"] is None and folder["committed_at"] is None


def test_a_hostile_tarball_costs_only_its_own_files(tmp_path):
    link = tarfile.TarInfo("repo-main/data/projects/l/link.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device = tarfile.TarInfo("repo-main/data/projects/d/device.yaml")
    device.type = tarfile.CHRTYPE
    path = acme_tarball(
        tmp_path / "x.tar.gz",
        ("../../data/projects/e/evil.yaml", b"name: evil\n"),
        ("/data/projects/r/root.yaml", b"name: root\n"),
        ("repo-main/data/projects/h/huge.yaml", b"name: huge\n" + b"#" * (5 << 20)),
        ("repo-main/data/projects/a/acme.yaml", b"name: second\n"),
        link,
        device,
        comment=SHA,
    )
    items = fetch(path)
    assert [r["name"] for r in rows(items, "projects")] == ["acme"]
    assert len(rejected(items)) == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.tar.gz"]


def test_a_link_in_a_folder_is_not_followed(tmp_path):
    folder = acme_directory(tmp_path / "x")
    (folder / "data/projects/a/link.yaml").symlink_to("/etc/hostname")
    assert "not followed" in rejected(fetch(folder))["data/projects/a/link.yaml"]


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_cut_tarball_lands_nothing(tmp_path, keep):
    noise = os.urandom(200_000).hex().encode()
    path = acme_tarball(tmp_path / "x.tar.gz", ("repo-main/noise.bin", noise))
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * keep)])
    with pytest.raises(Unavailable, match="is cut, damaged or no tar.gz"):
        fetch(path)


def test_an_address_without_a_directory_is_a_mistake(tmp_path):
    with pytest.raises(FixNeeded, match="nothing is at"):
        fetch(tmp_path / "nowhere.tar.gz")
    with pytest.raises(ContractBroken, match="no data/projects"):
        fetch(tarball(tmp_path / "x.tar.gz", [("repo/README", b"hi")]))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/archive/HEAD.tar.gz"),
        ("https://github.com/a/b.git", "https://github.com/a/b/archive/HEAD.tar.gz"),
        ("https://github.com/a/b/tree/x/y", "https://github.com/a/b/archive/x/y.tar.gz"),
        ("https://github.com/a/b/archive/refs/heads/main.tar.gz",) * 2,
        ("https://h/x.tar.gz",) * 2,
    ],
)
def test_a_repositorys_page_stands_for_its_tarball(url, wanted):
    assert tarball_url(url) == wanted


# now


def test_a_past_day_is_refused(tmp_path):
    with pytest.raises(WindowRefused, match="describes today only"):
        fetch(acme_directory(tmp_path), day=NOW.date() - timedelta(days=1))


def test_the_same_commit_lands_nothing_new_unless_forced(tmp_path):
    path = acme_tarball(tmp_path / "x.tar.gz", comment=SHA)
    previous = Previous(date(2026, 11, 20), {("projects", SHA): 1, ("collections", SHA): 0})
    (only,) = fetch(path, previous=previous)
    assert isinstance(only, Unchanged) and "2026-11-20" in only.reason
    assert rows(fetch(path, previous=previous, force=True), "projects")


def test_a_directory_below_80_percent_is_refused_unless_allowed(tmp_path):
    folder = acme_directory(tmp_path)
    previous = Previous(date(2026, 11, 20), {("projects", "old"): 3, ("collections", "old"): 1})
    with pytest.raises(
        SuspectData, match="2 projects, below 80 % of the last landing's 3. Kept the last good snapshot"
    ):
        fetch(folder, previous=previous)
    assert rows(fetch(folder, previous=previous, allow_shrink=True), "projects")
    fetch(folder, previous=Previous(date(2026, 11, 20), {("projects", "old"): 2}))


# reality


@pytest.fixture
def real(recordings):
    return recordings / "oss-directory/oss-directory-2026-05-08.tar.gz"


def test_the_real_directory_lands_7037_projects(real):
    items = fetch(real)
    assert len(rows(items, "projects")) == 7037 and len(rows(items, "collections")) == 117
    assert rejected(items) == {}
    assert {r["sha"] for r in rows(items, "projects")} == {"08ff97c4be015df63b5a108ae85d580c63df77bf"}
    unresolved = {(r["project_name"], r["kind"]) for r in rows(items, "artifacts") if r["status"] != "ok"}
    assert {("curve", "blockchain"), ("pulse", "crates"), ("mesoreefdao", "website")} <= unresolved
    assert len(unresolved) < 20


def test_no_real_file_is_lost_by_the_reader(real):
    with tarfile.open(real) as archive:
        wanted = {m.name for m in archive if m.isfile() and m.name.endswith(".yaml")}
    tree = read_tree(f"file://{real}", HttpClient())
    assert {p.removeprefix("./") for p in wanted} == set(tree.files)
    assert all(parse_file(body)["name"] for body in list(tree.files.values())[:50])
