"""dbt-duckdb plugin: each raw Iceberg table as a view over its data files, as the plan of the build found them."""

import json
import os

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Adds schema `raw` to every connection dbt opens; takes no configuration."""

    def initialize(self, config: dict) -> None:
        """Nothing to prepare: the settings come from the environment."""

    def configure_connection(self, conn) -> None:
        """Creates or replaces raw.<table> for every table in the lake's namespace raw.

        OPENIMPACT_BUILD, JSON, says in `snapshots` (ids by table) as of when; without it as of now.
        """
        from include.lake.catalog import open_catalog
        from include.lake.duckdb_views import create_raw_views, register_store
        from include.settings import load_settings

        catalog = open_catalog(load_settings(), "lake")
        register_store(conn, catalog)
        snapshots = json.loads(os.environ.get("OPENIMPACT_BUILD", "{}")).get("snapshots")
        create_raw_views(conn, catalog, snapshots)
