"""Airflow imports this file at its start. On one machine the scheduler forks a process for every task: what tasks
import is loaded once, before, and shared. Great Expectations alone takes longer to import than most tasks run."""

import importlib
import sys

CONNECT_ARGS = {"timeout": 60}  # seconds that a writer of SQLite waits for another

if "scheduler" in sys.argv:
    for name in ("great_expectations.expectations", "include.ingest", "include.lake.landing", "include.transform"):
        importlib.import_module(name)
