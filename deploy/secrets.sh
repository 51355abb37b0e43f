#!/usr/bin/env bash
# Makes every secret of the cluster that is not there yet, a folder for each service: secrets.sh [FOLDER [HOST…]]
#
# FOLDER is ./secrets, HOST the names by which readers call the consumer cluster (its certificate's). Each service gets
# its folder as /run/secrets, and no other. Tokens of upstreams, AIRFLOW_CONN_…, belong into airflow/connections.env.
# To change a secret remove the file that holds it alone, run this again and restart the services; a password of the
# database is changed in the database too (alter role … password …).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-secrets}; shift || true
[[ $# -gt 0 ]] || set -- localhost 127.0.0.1

# Containers run under accounts of their own: the files are readable, the folder around them is not.
umask 022
mkdir -p "$folder"/{airflow,consumer-api,postgres,seaweedfs,trino-consumer,trino-pipeline,valkey}
chmod 700 "$folder" && cd "$folder"

word() { [[ -s $1 ]] || openssl rand -hex "${2:-24}" | tr -d '\n' >"$1"; }

for name in admin airflow openimpact reader; do word "postgres/$name"; done
for name in pipeline consumer; do word "seaweedfs/$name-key" 10; word "seaweedfs/$name-secret"; done
catalog=postgres:5432/catalog results=postgres:5432/airflow

cat >seaweedfs/env <<END
AWS_ACCESS_KEY_ID=$(<seaweedfs/pipeline-key)
AWS_SECRET_ACCESS_KEY=$(<seaweedfs/pipeline-secret)
CONSUMER_AWS_ACCESS_KEY_ID=$(<seaweedfs/consumer-key)
CONSUMER_AWS_SECRET_ACCESS_KEY=$(<seaweedfs/consumer-secret)
END
cat >trino-pipeline/env <<END
AWS_ACCESS_KEY_ID=$(<seaweedfs/pipeline-key)
AWS_SECRET_ACCESS_KEY=$(<seaweedfs/pipeline-secret)
CATALOG_USER=openimpact
CATALOG_PASSWORD=$(<postgres/openimpact)
END

word valkey/password
cat >valkey/valkey.conf <<END
requirepass $(<valkey/password)
END
cat >airflow/env <<END
AWS_ACCESS_KEY_ID=$(<seaweedfs/pipeline-key)
AWS_SECRET_ACCESS_KEY=$(<seaweedfs/pipeline-secret)
OPENIMPACT_CATALOG_URI=postgresql+psycopg2://openimpact:$(<postgres/openimpact)@$catalog
END
[[ -e airflow/connections.env ]] || echo "# NAME=value as in .env.example, taken literally" >airflow/connections.env
printf 'postgresql+psycopg2://airflow:%s@%s' "$(<postgres/airflow)" "$results" >airflow/airflow-database
printf 'db+postgresql://airflow:%s@%s' "$(<postgres/airflow)" "$results" >airflow/celery-results
printf 'redis://:%s@valkey:6379/0' "$(<valkey/password)" >airflow/celery-broker
for name in jwt-secret api-secret-key; do word "airflow/$name" 48; done
[[ -s airflow/fernet-key ]] || openssl rand -base64 32 | tr '+/' '-_' | tr -d '\n' >airflow/fernet-key
word airflow/admin-password
printf '{"admin": "%s"}\n' "$(<airflow/admin-password)" >airflow/passwords.json

# readers: the certificate, the pair that signs tokens and the keys; the cluster gets what checks them, and the API, which
# asks it for its readers, what signs
"$here/trino/consumer/secrets.sh" readers "$@" trino-consumer
for name in jwt.key tls.crt; do
  [[ -e consumer-api/$name ]] || install -m 644 "readers/$name" "consumer-api/$name"
done
for name in jwt.pub tls.pem password.db; do
  [[ -e trino-consumer/$name ]] || install -m 644 "readers/$name" "trino-consumer/$name"
done
cat >trino-consumer/env <<END
AWS_ACCESS_KEY_ID=$(<seaweedfs/consumer-key)
AWS_SECRET_ACCESS_KEY=$(<seaweedfs/consumer-secret)
CATALOG_USER=reader
CATALOG_PASSWORD=$(<postgres/reader)
TRINO_SHARED_SECRET=$(<readers/shared-secret)
END
cat >consumer-api/env <<END
AWS_ACCESS_KEY_ID=$(<seaweedfs/consumer-key)
AWS_SECRET_ACCESS_KEY=$(<seaweedfs/consumer-secret)
OPENIMPACT_CATALOG_URI=postgresql+psycopg2://reader:$(<postgres/reader)@$catalog
END
