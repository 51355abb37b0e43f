"""An Airflow home of its own, before Airflow is imported anywhere."""

import os
import subprocess
import sys
import tempfile

import pytest

HOME = tempfile.mkdtemp(prefix="airflow-")
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": os.path.join(os.path.dirname(__file__), "../../dags"),
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


@pytest.fixture(scope="session")
def airflow_database():
    """The metadata database, migrated, with the pools that the DAGs name."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    return HOME
