"""Kubernetes: the manifests as kustomize renders them, and that the charts get the very files that were tested."""

import os
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.conftest import ROOT, missing
from tests.deploy.conftest import program

KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSION = "1.31"
# what the charts write into config.properties themselves
CHART_OWNS = {
    "coordinator", "node-scheduler.include-coordinator", "http-server.http.port", "node.internal-address",
    "discovery.uri", "query.max-memory", "query.max-memory-per-node", "memory.heap-headroom-per-node",
}  # fmt: skip
# the keys in use, as the charts' own values.yaml has them: Airflow's at 1.18, Trino's at 1.40
AIRFLOW_KEYS = {
    "airflowVersion", "airflowHome", "images.airflow", "executor", "enableBuiltInSecretEnvVars",
    "data.metadataSecretName",
    "fernetKeySecretName", "jwtSecretName", "apiSecretKeySecretName", "env", "extraEnvFrom", "volumes", "volumeMounts",
    "securityContexts.pod", "securityContexts.containers", "migrateDatabaseJob.args", "migrateDatabaseJob.useHelmHooks",
    "apiServer.args", "apiServer.startupProbe", "apiServer.resources", "scheduler.resources",
    "scheduler.logGroomerSidecar", "dagProcessor.resources", "dagProcessor.logGroomerSidecar", "triggerer.persistence",
    "triggerer.resources", "triggerer.logGroomerSidecar", "webserver.defaultUser", "postgresql.enabled",
    "redis.enabled", "statsd.enabled", "podTemplate",
}  # fmt: skip
TRINO_KEYS = {
    "image.tag", "server.workers", "server.node", "server.config", "server.coordinatorExtraConfig",
    "server.workerExtraConfig", "securityContext", "env", "envFrom", "catalogs",
    *(f"{node}.{key}" for node in ("coordinator", "worker")
      for key in ("jvm", "additionalJVMConfig",
                  "config", "resources", "additionalConfigFiles", "additionalExposedPorts", "secretMounts")),
}  # fmt: skip


def values(name: str) -> dict:
    return yaml.safe_load((KUBERNETES / f"{name}-values.yaml").read_text())


@pytest.fixture(scope="session")
def rendered() -> list[dict]:
    """Every object that `kubectl apply -k deploy` makes."""
    kubectl = program("kubectl", "install kubectl")
    text = subprocess.run([kubectl, "kustomize", ROOT / "deploy"], capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="session")
def pods(rendered) -> dict[str, dict]:
    """The pod specifications: of every workload that is rendered, and of a task."""
    task = yaml.safe_load((ROOT / "deploy/airflow/pod.yaml").read_text())
    named = {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in rendered if o["kind"] == "StatefulSet"}
    return named | {"task": task["spec"]}


def test_every_object_follows_the_schema_of_kubernetes(rendered):
    task = yaml.safe_load((ROOT / "deploy/airflow/pod.yaml").read_text())
    for item in [*rendered, task]:
        kubernetes_validate.validate(item, VERSION, strict=True)
    assert {item["metadata"].get("namespace", "openimpact") for item in rendered} == {"openimpact"}


def test_every_pod_passes_the_restricted_profile(pods):
    """The fields that Kubernetes' pod security profile `restricted` asks for, which the namespace enforces."""
    for name, pod in pods.items():
        context = pod["securityContext"]
        assert context["runAsNonRoot"] and context["seccompProfile"]["type"] == "RuntimeDefault", name
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False and own["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]
            assert not container["image"].endswith(":latest") and ":" in container["image"]
            assert name == "task" or "readinessProbe" in container


def test_the_images_are_those_of_compose(pods):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    used = {container["image"] for name, pod in pods.items() if name != "task" for container in pod["containers"]}
    assert used == {compose["postgres"]["image"], compose["seaweedfs"]["image"], "openimpact:local"}
    trino = {f"trinodb/trino:{values(f'trino-{cluster}')['image']['tag']}" for cluster in ("pipeline", "consumer")}
    assert trino == {compose["trino-pipeline"]["image"]}


def test_nobody_reaches_a_pod_without_a_rule(rendered):
    policies = {o["metadata"]["name"]: o["spec"] for o in rendered if o["kind"] == "NetworkPolicy"}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    callers = [rule["podSelector"]["matchLabels"] for rule in policies["trino-pipeline"]["ingress"][0]["from"]]
    assert callers == [{"tier": "airflow"}, {"app.kubernetes.io/instance": "trino-pipeline"}]
    assert policies["s3"]["ingress"][0]["ports"] == [{"port": 8333}]


def leaves(tree: dict, above: str = "") -> set[str]:
    """Dotted paths of two levels at most: deeper ones are Kubernetes' own objects."""
    found = set()
    for key, value in tree.items():
        path = f"{above}{key}"
        found |= leaves(value, f"{path}.") if isinstance(value, dict) and not above else {path}
    return found


@pytest.mark.parametrize(
    ("name", "known"), [("airflow", AIRFLOW_KEYS), ("trino-pipeline", TRINO_KEYS), ("trino-consumer", TRINO_KEYS)]
)
def test_the_values_use_keys_that_the_charts_have(name, known):
    used = leaves(values(name))
    assert {key for key in used if key not in known and key.split(".")[0] not in known} == set()


def test_no_secret_stands_in_the_values():
    for name in ("airflow", "trino-pipeline", "trino-consumer"):
        for entry in values(name)["env"]:
            if re.search(r"PASSWORD|SECRET|_KEY|TOKEN|CONN", entry["name"]):
                file = entry["value"].removeprefix("cat ")
                assert file.startswith(("/run/secrets/", "/run/readers/", "/tmp/passwords.json")), entry["name"]
    built_in = values("airflow")["enableBuiltInSecretEnvVars"]
    assert len(built_in) >= 7 and not any(built_in.values())


def test_every_file_that_airflow_reads_is_mounted_and_made(secrets):
    chart = values("airflow")
    text = " ".join([*(entry["value"] for entry in chart["env"]), *chart["apiServer"]["args"]])
    read = set(re.findall(r"/run/secrets/[\w.-]+", text))
    mounted = {m["mountPath"]: m["subPath"] for m in chart["volumeMounts"] if m["name"] == "airflow-secrets"}
    assert read == set(mounted)
    assert all((secrets / "airflow" / name).is_file() for name in mounted.values())


def test_airflow_on_kubernetes_is_told_what_the_env_file_says():
    lines = (ROOT / "deploy/airflow/kubernetes.env").read_text().splitlines()
    file = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    told = {entry["name"]: entry["value"] for entry in values("airflow")["env"]}
    # these the chart sets itself
    for name in ("EXECUTOR__NAMESPACE", "EXECUTOR__POD_TEMPLATE_FILE"):
        file.pop(f"AIRFLOW__KUBERNETES_{name}")
    assert file.pop("AIRFLOW__CORE__EXECUTOR") == values("airflow")["executor"]
    assert file.items() <= told.items()


@pytest.fixture(scope="session")
def calls(secrets, tmp_path_factory) -> list[str]:
    """What install.sh calls helm and kubectl with; stand-ins write it down, and the contents of every file."""
    program("kubectl", "install kubectl")
    folder = tmp_path_factory.mktemp("install")
    log = folder / "log"
    for name in ("helm", "kubectl"):
        (folder / name).write_text(
            f'#!/bin/bash\nexec >>{log}\necho "{name} $*"\n'
            f'for a; do [[ {name} = helm && -f ${{a#*=}} ]] && echo "[$a]" && cat "${{a#*=}}"; done; exit 0\n'
        )
        (folder / name).chmod(0o755)
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run([KUBERNETES / "install.sh", secrets], env=env, check=True, capture_output=True)
    return log.read_text().splitlines()


def properties(path: Path) -> dict[str, str]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("cluster", ["pipeline", "consumer"])
def test_trinos_charts_get_every_file_and_every_line_that_was_tested(calls, cluster):
    folder = ROOT / "deploy" / "trino" / cluster
    (command,) = [line for line in calls if line.startswith(f"helm upgrade --install trino-{cluster} ")]
    rest = {p for p in folder.iterdir() if p.suffix in (".properties", ".json")}
    rest -= {folder / name for name in ("config.properties", "node.properties", "worker.properties")}
    for path in rest:
        key = path.name.replace(".", "\\.")
        for node in ("coordinator", "worker"):
            assert f"--set-file {node}.additionalConfigFiles.{key}={path.relative_to(ROOT)}" in command
    for path in (folder / "catalog").iterdir():
        assert f"--set-file catalogs.{path.stem}={path.relative_to(ROOT)}" in command
    start = calls.index(command)
    told = calls[start : next((n for n, line in enumerate(calls) if n > start and line.startswith("helm ")), None)]
    wanted = {f"{k}={v}" for k, v in properties(folder / "config.properties").items() if k not in CHART_OWNS}
    assert wanted <= set(told)
    assert not {line.split("=")[0] for line in told if not line.startswith("[")} & CHART_OWNS


@pytest.mark.parametrize("cluster", ["pipeline", "consumer"])
def test_what_the_chart_writes_itself_is_what_was_tested(cluster):
    config, chart = properties(ROOT / f"deploy/trino/{cluster}/config.properties"), values(f"trino-{cluster}")
    node = chart["coordinator"].get("config", {})
    says = {
        "query.max-memory": chart["server"]["config"]["query"]["maxMemory"],
        "query.max-memory-per-node": node.get("query", {}).get("maxMemoryPerNode"),
        "memory.heap-headroom-per-node": node.get("memory", {}).get("heapHeadroomPerNode"),
    }
    assert {key: says[key] for key in says if key in config} == {key: config[key] for key in says if key in config}


@pytest.mark.parametrize("cluster", ["pipeline", "consumer"])
def test_trino_on_kubernetes_is_told_every_variable_that_its_files_name(cluster, secrets):
    files = (ROOT / "deploy" / "trino" / cluster).rglob("*.properties")
    lines = [line for path in files for line in path.read_text().splitlines() if line.split("=")[0] not in CHART_OWNS]
    named = set(re.findall(r"\$\{ENV:(\w+)\}", "\n".join(lines)))
    secret = {line.split("=", 1)[0] for line in (secrets / f"trino-{cluster}" / "env").read_text().splitlines()}
    assert named - secret - {entry["name"] for entry in values(f"trino-{cluster}")["env"]} == set()


def test_every_secret_that_a_pod_names_is_made(calls, pods):
    made = {match[1] for line in calls if (match := re.search(r"create secret generic (\S+) --from", line))}
    named = {v["secret"]["secretName"] for pod in pods.values() for v in pod.get("volumes", []) if "secret" in v}
    files = [*KUBERNETES.glob("*-values.yaml"), KUBERNETES / "consumer-api.yaml", ROOT / "deploy/airflow/pod.yaml"]
    text = "".join(path.read_text() for path in files)
    named |= set(re.findall(r"secretRef: \{name: ([\w-]+)\}", text)) | set(re.findall(r"[sS]ecretName: ([\w-]+)", text))
    assert named == made


def test_kubectl_takes_the_secret_files(secrets):
    kubectl = program("kubectl", "install kubectl")
    command = [kubectl, "create", "secret", "generic", "x", "--dry-run=client", "-o", "yaml"]
    command += [f"--from-env-file={secrets / 'airflow' / name}" for name in ("env", "connections.env")]
    made = yaml.safe_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(made["data"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "OPENIMPACT_CATALOG_URI"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["airflow", "trino-pipeline", "trino-consumer"])
def test_the_charts_render(name, secrets):
    """With helm and the charts at hand: AIRFLOW_CHART and TRINO_CHART name a folder or an archive."""
    chart = os.environ.get("AIRFLOW_CHART" if name == "airflow" else "TRINO_CHART")
    if not chart:
        missing("no chart to render: set AIRFLOW_CHART and TRINO_CHART")
    command = [program("helm", "install helm"), "template", name, chart, "--namespace", "openimpact"]
    command += ["--values", KUBERNETES / f"{name}-values.yaml"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for item in filter(None, yaml.safe_load_all(made)):
        kubernetes_validate.validate(item, VERSION, strict=True)
