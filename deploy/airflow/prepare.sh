#!/bin/sh
# Makes a new or upgraded cluster ready, in the image, before any Airflow process starts; again and again is fine.
set -eu
cd "$(dirname "$0")/../.."
airflow db migrate
python -m include release list  # opens both Iceberg catalogs: their tables are there from then on
# dbt's manifest and docs of this image; those of a later build stay
mkdir -p "$OPENIMPACT_HOME"
cp -Rn built/. "$OPENIMPACT_HOME/"
