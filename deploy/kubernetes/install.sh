#!/usr/bin/env bash
# Brings the cluster up in Kubernetes, or upgrades it; needs kubectl, helm and the folder of deploy/secrets.sh.
#
#   deploy/kubernetes/install.sh [SECRETS]
#
# HELM_ARGS goes to every call of helm, for instance --dry-run=client; AIRFLOW_CHART and TRINO_CHART name other charts.
set -euo pipefail
cd "$(dirname "$0")/../.."
secrets=${1:-secrets}
kube() { kubectl --namespace openimpact "$@"; }
secret() { kube create secret generic "$@" --dry-run=client -o yaml | kube apply -f -; }

kubectl apply -k deploy
for name in postgres seaweedfs airflow; do secret "$name" --from-file="$secrets/$name"; done
for name in trino-pipeline trino-consumer consumer-api; do secret "$name" --from-env-file="$secrets/$name/env"; done
secret openimpact --from-env-file="$secrets/airflow/env" --from-env-file="$secrets/airflow/connections.env"
readers=$secrets/trino-consumer
secret trino-consumer-readers --from-file="$readers/tls.pem" --from-file="$readers/jwt.pub" \
  --from-file="$readers/password.db"

secret consumer-api-readers --from-file="$secrets/consumer-api/jwt.key" --from-file="$secrets/consumer-api/tls.crt"

release() { helm upgrade --install "$1" "$2" --namespace openimpact "${@:3}" ${HELM_ARGS:-}; }

# what the chart writes itself, from the values
chart_owns='^(#|$|coordinator=|node-scheduler\.include-coordinator=|http-server\.http\.port=|node\.internal-address='
chart_owns+='|discovery\.uri=|query\.max-memory|memory\.heap-headroom-per-node=)'
trino() {
  local folder=deploy/trino/$1 arguments=() file name node work
  work=$(mktemp -d)
  for node in coordinator worker; do
    file=$folder/config.properties
    [[ $node == worker && -e $folder/worker.properties ]] && file=$folder/worker.properties
    grep -Ev "$chart_owns" "$file" >"$work/$node"
    arguments+=(--set-file "server.${node}ExtraConfig=$work/$node")
    for file in "$folder"/*.properties "$folder"/*.json; do
      name=$(basename "$file")
      [[ $name =~ ^(config|node|worker)\.properties$ || ! -e $file ]] && continue
      arguments+=(--set-file "$node.additionalConfigFiles.${name//./\\.}=$file")
    done
  done
  for file in "$folder"/catalog/*.properties; do
    arguments+=(--set-file "catalogs.$(basename "$file" .properties)=$file")
  done
  release "trino-$1" "${TRINO_CHART:-trino/trino}" --version 1.40.0 \
    --values "deploy/kubernetes/trino-$1-values.yaml" "${arguments[@]}"
  rm -r "$work"
}
trino pipeline
trino consumer
release airflow "${AIRFLOW_CHART:-apache-airflow/airflow}" --version 1.18.0 \
  --values deploy/kubernetes/airflow-values.yaml --set-file podTemplate=deploy/airflow/pod.yaml
