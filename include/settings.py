"""The settings, read once from the environment; the defaults are the embedded profile."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from include.errors import FixNeeded

ENGINES = ("duckdb", "trino")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where things live. Paths are absolute; `storage` is handed to PyIceberg as it is and never shown."""

    home: Path
    engine: str = "duckdb"
    catalog_uri: str = field(repr=False)
    lake_uri: str | None = field(default=None, repr=False)
    warehouse: str
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)
    last_day: date | None = None
    consumer_trino: str | None = None
    consumer_trino_key: Path | None = None
    consumer_trino_ca: Path | None = None
    security_contact: str | None = None

    @property
    def staging(self) -> Path:
        """Staged files of landings: staging/<source>/<run id>/."""
        return self.home / "staging"

    @property
    def duckdb_path(self) -> Path:
        """The embedded transform database."""
        return self.home / "transform.duckdb"

    @property
    def dbt_target(self) -> Path:
        """dbt's artifacts: manifest, run results and the docs site."""
        return self.home / "dbt-target"

    def warehouse_of(self, catalog: str) -> str:
        """Root URI of catalog 'lake' or 'consumer'."""
        return f"{self.warehouse.rstrip('/')}/{catalog}"


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment, where they are named OPENIMPACT_…; for the storage they are AWS_….

    Creates nothing. `warehouse` is a URI whose children `lake` and `consumer` hold the data. `lake_uri` is that of an
    Iceberg REST catalog that holds the lake instead of the database; the releases stay in the database, for they
    switch all tables in one transaction, which REST catalogs do not offer. `consumer_trino` is the address of the
    cluster that answers SQL of readers, `consumer_trino_key` the file of the key that signs who asks.

    Raises:
        FixNeeded: an unknown engine, a warehouse that is not a URI, a REST catalog where there can be none, a day or
            file that is none, a contact that is no address, or an address of the consumer's Trino that is none or
            lacks its key.
    """
    home = Path(env.get("OPENIMPACT_HOME") or ".openimpact").expanduser().resolve()
    engine = env.get("OPENIMPACT_ENGINE") or "duckdb"
    if engine not in ENGINES:
        raise FixNeeded(f"OPENIMPACT_ENGINE is {engine!r}; set it to one of {', '.join(ENGINES)}.")
    warehouse = env.get("OPENIMPACT_WAREHOUSE") or f"file://{home}"
    if "://" not in warehouse:
        raise FixNeeded(f"OPENIMPACT_WAREHOUSE is {warehouse!r}; write a URI such as file:///data or s3://bucket/path.")
    catalog_uri = env.get("OPENIMPACT_CATALOG_URI") or f"sqlite:///{home}/catalog.db"
    if catalog_uri.startswith(("http://", "https://")):
        raise FixNeeded(
            "OPENIMPACT_CATALOG_URI is an address of the web, and a release moves all its tables in one transaction of "
            "a database: set it to sqlite:///… or postgresql+psycopg2://…. An Iceberg REST catalog can hold the lake: "
            "OPENIMPACT_LAKE_URI."
        )
    lake_uri = env.get("OPENIMPACT_LAKE_URI") or None
    if lake_uri and not lake_uri.startswith(("http://", "https://")):
        raise FixNeeded("OPENIMPACT_LAKE_URI is not http(s)://…: set it to the address of an Iceberg REST catalog.")
    if lake_uri and engine == "trino":
        raise FixNeeded(
            "OPENIMPACT_LAKE_URI is set and OPENIMPACT_ENGINE is trino, whose catalogs in deploy/trino open the "
            "database: it would build from another lake. Unset the first, or set the engine to duckdb."
        )
    names = {
        "s3.endpoint": "AWS_ENDPOINT_URL",
        "s3.access-key-id": "AWS_ACCESS_KEY_ID",
        "s3.secret-access-key": "AWS_SECRET_ACCESS_KEY",
        "s3.session-token": "AWS_SESSION_TOKEN",
        "s3.region": "AWS_REGION",
    }
    on_s3 = warehouse.startswith("s3") or lake_uri
    storage = {key: env[name] for key, name in names.items() if on_s3 and env.get(name)}
    return Settings(
        home=home,
        engine=engine,
        catalog_uri=catalog_uri,
        lake_uri=lake_uri,
        warehouse=warehouse,
        storage=storage,
        last_day=_day(env, "OPENIMPACT_LAST_DAY"),
        **_consumer_trino(env),
        security_contact=_contact(env, "OPENIMPACT_SECURITY_CONTACT"),
    )


def _consumer_trino(env: Mapping[str, str]) -> dict[str, str | Path | None]:
    address = env.get("OPENIMPACT_CONSUMER_TRINO")
    if not address:
        return {}
    key, ca = (_file(env, f"OPENIMPACT_CONSUMER_TRINO_{name}_FILE") for name in ("KEY", "CA"))
    if not address.startswith(("http://", "https://")):
        raise FixNeeded("OPENIMPACT_CONSUMER_TRINO is not http(s)://…: set it to the address of the consumer's Trino.")
    if address.startswith("https://") and not key:
        raise FixNeeded(
            "OPENIMPACT_CONSUMER_TRINO is set and OPENIMPACT_CONSUMER_TRINO_KEY_FILE is not: name the file of jwt.key, "
            "which signs for whom the API asks (docs/consumer-cluster.md)."
        )
    return {"consumer_trino": address, "consumer_trino_key": key, "consumer_trino_ca": ca}


def _file(env: Mapping[str, str], name: str) -> Path | None:
    if not env.get(name):
        return None
    if not Path(env[name]).is_file():
        raise FixNeeded(f"{name} is {env[name]!r}, and there is no such file; name one, or unset it.")
    return Path(env[name]).resolve()


def _day(env: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(env[name]) if env.get(name) else None
    except ValueError:
        raise FixNeeded(f"{name} is {env[name]!r}; write a day as YYYY-MM-DD.") from None


def _contact(env: Mapping[str, str], name: str) -> str | None:
    contact = env.get(name) or None
    if contact and (not contact.startswith(("mailto:", "https://", "tel:")) or any(sign.isspace() for sign in contact)):
        raise FixNeeded(f"{name} is {contact!r}; write mailto:somebody@example.org or an https:// address.")
    return contact
