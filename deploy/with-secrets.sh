#!/bin/sh
# Starts a command with the variables of the secret files: with-secrets.sh COMMAND…
#
# They are /run/secrets/*env: lines NAME=value, taken literally, as `docker run --env-file` and
# `kubectl create secret --from-env-file` take them. So no secret stands in a container's configuration.
set -eu
for file in "${SECRETS:-/run/secrets}"/*env; do
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in [A-Z]*=*) export "$line" ;; esac
  done <"$file"
done
exec "$@"
