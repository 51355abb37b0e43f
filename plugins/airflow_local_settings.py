"""Airflow imports this file at its start. On one machine the scheduler forks a process for every task: what tasks
import is loaded once, before, and shared. Great Expectations alone takes longer to import than most tasks run."""

import sys

if "scheduler" in sys.argv:
    import great_expectations.expectations  # noqa: F401

    import include.ingest
    import include.lake.landing
    import include.transform  # noqa: F401
