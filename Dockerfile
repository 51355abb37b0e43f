# One image for every Airflow process and for the shell. The base needs apt and Python 3.11, 3.12 or 3.13 with venv:
# docs/cluster.md names others, Astronomer's runtime among them.
ARG BASE_IMAGE=python:3.12-slim-bookworm
FROM ${BASE_IMAGE}

# where the tree lives; /usr/local/airflow on Astronomer's runtime
ARG PROJECT=/opt/openimpact
# the commit that is built, which every release names
ARG REVISION=unknown

USER 0:0
WORKDIR ${PROJECT}
COPY packages.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt requirements-cluster.txt constraints.txt ./
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        -r requirements-cluster.txt -c constraints.txt

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=${PROJECT} \
    PYTHONUNBUFFERED=1 \
    OPENIMPACT_HOME=/var/lib/openimpact \
    OPENIMPACT_CODE_SHA=${REVISION} \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=${PROJECT}/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=${PROJECT}/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/lib/openimpact/logs \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    GX_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1

COPY . .
# an unprivileged account of group 0, whatever its number: what Kubernetes and OpenShift expect
RUN (getent passwd 50000 || useradd --uid 50000 --gid 0 --no-create-home --home-dir /var/lib/openimpact openimpact) \
    && install -d -o 50000 -g 0 -m 0770 /var/lib/openimpact /opt/airflow built
USER 50000:0

# dbt's manifest, parse cache and docs, from the tables as they are declared; deploy/airflow/prepare.sh takes them home
RUN OPENIMPACT_HOME=$PWD/built python3 -c "from include import ingest, settings; from include.transform import docs; \
s = settings.load_settings(); ingest.ensure_raw_tables(s); docs.write_docs(s)" \
    && rm -rf built/catalog.db built/transform.duckdb built/lake built/consumer built/staging

CMD ["airflow", "version"]
