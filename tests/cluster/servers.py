"""PostgreSQL, SeaweedFS and Trino as local processes on free ports, with the files of deploy/ as they are."""

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jwt
import psycopg2
import requests
import trino

from tests.cluster.tools import Tools

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
HOST, BUCKET, DATABASE, OWNER, READER, ADMIN = "127.0.0.1", "lake", "catalog", "openimpact", "reader", "postgres"
HEAP = "-Xmx2G"


class Server:
    """One process in a group of its own, its log in a file."""

    def __init__(self, name: str, command: list, log: Path, env: dict | None = None, user: str | None = None) -> None:
        self.name, self.log = name, log
        who = {"user": user, "group": user, "extra_groups": []} if user else {}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ | (env or {}),
                cwd=log.parent,
                start_new_session=True,
                **who,
            )

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Returns when `ready()` is true; a refused connection counts as not yet.

        Raises:
            RuntimeError: the process ended or the time is over; with the last lines of its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if ready():
                    return
            except (OSError, psycopg2.Error, trino.exceptions.Error, ValueError):
                pass
            time.sleep(0.2)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        state = f"ended with {self.process.poll()}" if self.process.poll() is not None else f"not ready in {seconds} s"
        raise RuntimeError(f"{self.name} {state}:\n{tail}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stops the whole process group: `how`, and SIGKILL after 20 s."""
        for number, patience in ((how, 20), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue


class Cluster:
    """All servers below one temporary folder; as a context it stops what was started and leaves nothing behind."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.home = Path(tempfile.mkdtemp(prefix="openimpact-cluster-"))
        self.home.chmod(0o711)  # PostgreSQL may run as another user
        self.servers: list[tuple[Server, signal.Signals]] = []
        self.keys = {name: secrets.token_hex(12) for name in (OWNER, READER, ADMIN, "airflow", "s3-owner", "s3-reader")}
        ports = _free_ports(13)
        self.pg_port, self.s3_port, self.pipeline_port, self.consumer_port, self.consumer_https_port = ports[:5]
        self._inner_ports = ports[5:]
        self.secrets = self.home / "secrets"

    def __enter__(self) -> "Cluster":
        return self

    def start(self) -> None:
        """Starts every server and waits until each answers."""
        self.start_database()
        self.start_storage()
        self._start_trinos()

    def __exit__(self, *error) -> None:
        """Stops every server, the last started first, and removes the folder."""
        while self.servers:
            server, how = self.servers.pop()
            server.stop(how)
        shutil.rmtree(self.home, ignore_errors=True)

    def settings_env(self, engine: str = "trino") -> dict[str, str]:
        """The environment of the pipeline on this cluster, as in .env."""
        return {
            "OPENIMPACT_ENGINE": engine,
            "OPENIMPACT_CATALOG_URI": f"postgresql+psycopg2://{OWNER}:{self.keys[OWNER]}@{HOST}:{self.pg_port}/{DATABASE}",
            "TRINO_HOST": HOST,
            "TRINO_PORT": str(self.pipeline_port),
            "TRINO_USER": "openimpact",
            **self.storage_env("owner"),
        }

    def connect(self, which: str, user: str = "tests", **options):
        """A DB-API connection to the Trino 'pipeline', or by TLS and with a token to the 'consumer'."""
        if which == "consumer":
            auth = trino.auth.JWTAuthentication(self.token(user))
            tls = {"port": self.consumer_https_port, "http_scheme": "https", "http_session": self.tls(), "auth": auth}
            options = tls | options
        else:
            options = {"port": self.pipeline_port} | options
        return trino.dbapi.connect(host=HOST, user=user, timezone="UTC", **options)

    def token(self, user: str, **claims) -> str:
        """A token that the consumer takes for this reader, for an hour."""
        key = (self.secrets / "jwt.key").read_text()
        return jwt.encode({"sub": user, "exp": time.time() + 3600} | claims, key, "RS256")

    def tls(self) -> requests.Session:
        """A session that knows the consumer's certificate."""
        session = requests.Session()
        session.trust_env = False  # a REQUESTS_CA_BUNDLE of the machine would outrank the certificate
        session.verify = str(self.secrets / "tls.crt")
        return session

    def query(self, which: str, sql: str, **options) -> list[list]:
        """All rows of one statement on 'pipeline' or 'consumer'."""
        with self.connect(which, **options) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()

    def database(self, role: str = OWNER, name: str = DATABASE):
        """A connection to the catalog's database, or another, as the owner or another role."""
        return psycopg2.connect(host=HOST, port=self.pg_port, dbname=name, user=role, password=self.keys[role])

    def storage_properties(self, who: str) -> dict[str, str]:
        """PyIceberg's S3 properties of the 'owner' or the 'reader'."""
        env = self.storage_env(who)
        return {
            "s3.endpoint": env["AWS_ENDPOINT_URL"],
            "s3.access-key-id": env["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": env["AWS_SECRET_ACCESS_KEY"],
            "s3.region": env["AWS_REGION"],
        }

    def storage_env(self, who: str) -> dict[str, str]:
        """The settings of the storage for the 'owner' or the 'reader'."""
        return {
            "OPENIMPACT_WAREHOUSE": f"s3://{BUCKET}/wh",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.s3_port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": f"{who}-key",
            "AWS_SECRET_ACCESS_KEY": self.keys[f"s3-{who}"],
        }

    def _run(self, name: str, command: list, how=signal.SIGTERM, **options) -> Server:
        server = Server(name, command, self.home / f"{name}.log", **options)
        self.servers.append((server, how))
        return server

    def start_database(self) -> None:
        """Starts PostgreSQL alone."""
        folder, user = self.home / "pg", None
        folder.mkdir()
        words = folder / "password"
        words.write_text(self.keys[ADMIN])
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = "postgres"
            account = pwd.getpwnam(user)
            for path in (folder, words):
                os.chown(path, account.pw_uid, account.pw_gid)
        data = folder / "data"
        init = [self.tools.postgres / "initdb", "-D", data, "-U", ADMIN, "-E", "UTF8", "--locale=C", "--no-sync"]
        init += ["-A", "scram-sha-256", f"--pwfile={words}"]
        who = {"user": user, "group": user, "extra_groups": []} if user else {}
        subprocess.run([str(part) for part in init], check=True, capture_output=True, cwd=folder, **who)
        command = [self.tools.postgres / "postgres", "-D", data, "-p", self.pg_port, "-h", HOST, "-k", folder, "-F"]
        self._run_database = partial(self._run, "postgresql", command, signal.SIGINT, user=user)
        self._run_database().wait_ready(self._create_database, 30)

    def restart_database(self, away_s: float) -> None:
        """Ends PostgreSQL at once, with every connection, and starts it again so many seconds later."""
        (old,) = (entry for entry in self.servers if entry[0].name == "postgresql")
        self.end(*old)
        time.sleep(away_s)
        self._run_database().wait_ready(lambda: self.database().close() is None, 30)

    def end(self, server: Server, how: signal.Signals) -> None:
        """Ends one server."""
        self.servers = [entry for entry in self.servers if entry[0] is not server]
        server.stop(how)

    def _create_database(self) -> bool:
        """Makes roles and databases as the image of PostgreSQL does at its first start."""
        self.database(ADMIN, "postgres").close()
        words = self.home / "passwords"
        words.mkdir(exist_ok=True)
        for role in (OWNER, READER, "airflow"):
            (words / role).write_text(self.keys[role])
        command = [
            self.tools.postgres / "psql",
            "-q",
            "-h",
            HOST,
            "-p",
            str(self.pg_port),
            "-U",
            ADMIN,
            "-d",
            "postgres",
        ]
        command += ["-f", DEPLOY / "postgres" / "init.sql"]
        env = os.environ | {"SECRETS": str(words), "PGPASSWORD": self.keys[ADMIN]}
        subprocess.run(command, env=env, check=True, capture_output=True)
        return True

    def start_storage(self, *options: str) -> Server:
        """Starts SeaweedFS alone, and returns it; `options` go to `weed mini`."""
        reader = self.storage_env("reader")
        env = self.storage_env("owner") | {
            "WEED": str(self.tools.weed),
            "SEAWEEDFS_DIR": str(self.home / "s3"),
            "SEAWEEDFS_BUCKET": BUCKET,
            "CONSUMER_AWS_ACCESS_KEY_ID": reader["AWS_ACCESS_KEY_ID"],
            "CONSUMER_AWS_SECRET_ACCESS_KEY": reader["AWS_SECRET_ACCESS_KEY"],
        }
        names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port")
        names += ("filer.port.grpc", "s3.port.grpc")
        command = [DEPLOY / "seaweedfs" / "start.sh", f"-ip={HOST}", f"-ip.bind={HOST}", f"-s3.port={self.s3_port}"]
        command += [f"-{name}={port}" for name, port in zip(names, self._inner_ports, strict=False)]
        command += options
        storage = self._run("seaweedfs", command, env=env)
        storage.wait_ready(self._bucket_answers, 60)
        return storage

    def _bucket_answers(self) -> bool:
        from pyiceberg.io.pyarrow import PyArrowFileIO

        io = PyArrowFileIO(self.storage_properties("owner"))
        with io.new_output(f"s3://{BUCKET}/ready").create(overwrite=True) as out:
            out.write(b"1")
        return True

    def _start_trinos(self) -> None:
        subprocess.run([DEPLOY / "trino" / "consumer" / "secrets.sh", self.secrets, HOST], check=True)
        started = [
            (self._start_trino("pipeline", self.pipeline_port, OWNER, "owner"), "pipeline"),
            (self._start_trino("consumer", self.consumer_port, READER, "reader"), "consumer"),
        ]
        for server, which in started:
            server.wait_ready(lambda which=which: self._trino_answers(which), 180)

    def start_pipeline(self, port: int, name: str, **more: str) -> Server:
        """One more process of the pipeline's Trino, with `more` in its environment; does not wait for it."""
        return self._start_trino(name, port, OWNER, "owner", DEPLOY / "trino" / "pipeline", **more)

    def _start_trino(self, name: str, port: int, role: str, who: str, etc: Path | None = None, **more: str) -> Server:
        env = self.storage_env(who) | {
            "JAVA_HOME": str(self.tools.java_home),
            "PATH": f"{self.tools.java_home}/bin:{os.environ['PATH']}",
            "JDK_JAVA_OPTIONS": HEAP,
            "TRINO_HOST": HOST,
            "TRINO_PORT": str(port),
            "TRINO_COORDINATOR": "true",
            "TRINO_INCLUDE_COORDINATOR": "true",
            "TRINO_DISCOVERY_URI": f"http://{HOST}:{port}",
            "CATALOG_JDBC_URL": f"jdbc:postgresql://{HOST}:{self.pg_port}/{DATABASE}",
            "CATALOG_USER": role,
            "CATALOG_PASSWORD": self.keys[role],
        }
        if name == "consumer":
            env |= {
                "TRINO_HTTPS_PORT": str(self.consumer_https_port),
                "TRINO_SHARED_SECRET": (self.secrets / "shared-secret").read_text(),
                "TRINO_TLS_FILE": str(self.secrets / "tls.pem"),
                "TRINO_JWT_KEY_FILE": str(self.secrets / "jwt.pub"),
                "TRINO_PASSWORD_FILE": str(self.secrets / "password.db"),
            }
        command = [self.tools.trino / "bin" / "launcher", "run", "--etc-dir", etc or DEPLOY / "trino" / name]
        command += ["--data-dir", self.home / f"trino-{name}", "-D", f"node.id={name}", "-D", f"node.bind-ip={HOST}"]
        return self._run(f"trino-{name}", command, env=env | more)

    def _trino_answers(self, which: str) -> bool:
        port = {"pipeline": self.pipeline_port, "consumer": self.consumer_port}[which]
        with urllib.request.urlopen(f"http://{HOST}:{port}/v1/info", timeout=5) as answer:
            if json.load(answer)["starting"]:
                return False
        return self.query(which, "select 1") == [[1]]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
