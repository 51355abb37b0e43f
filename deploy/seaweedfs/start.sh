#!/bin/sh
# One SeaweedFS node with S3: the pipeline's keys may do everything, the consumer's keys may only read.
#
# Needs `weed` on PATH (or WEED) and in the environment: SEAWEEDFS_DIR, SEAWEEDFS_BUCKET,
# AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, CONSUMER_AWS_ACCESS_KEY_ID, CONSUMER_AWS_SECRET_ACCESS_KEY.
# Further arguments go to `weed mini`, for instance -ip=…, -ip.bind=… and -s3.port=….
set -eu
for name in SEAWEEDFS_DIR SEAWEEDFS_BUCKET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY \
  CONSUMER_AWS_ACCESS_KEY_ID CONSUMER_AWS_SECRET_ACCESS_KEY; do
  case "$(printenv "$name")" in
    "") echo "Set $name before starting SeaweedFS; see the head of $0." >&2; exit 2 ;;
    *[\"\\]*) echo "$name must not hold a quote or a backslash." >&2; exit 2 ;;
  esac
done

umask 077
mkdir -p "$SEAWEEDFS_DIR/data"
cat >"$SEAWEEDFS_DIR/s3.json" <<JSON
{"identities": [
  {"name": "pipeline",
   "credentials": [{"accessKey": "$AWS_ACCESS_KEY_ID", "secretKey": "$AWS_SECRET_ACCESS_KEY"}],
   "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
  {"name": "consumer",
   "credentials": [{"accessKey": "$CONSUMER_AWS_ACCESS_KEY_ID", "secretKey": "$CONSUMER_AWS_SECRET_ACCESS_KEY"}],
   "actions": ["Read:$SEAWEEDFS_BUCKET", "List:$SEAWEEDFS_BUCKET"]}
]}
JSON

# the file above holds every identity: the keys in the environment would make one more
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY CONSUMER_AWS_ACCESS_KEY_ID CONSUMER_AWS_SECRET_ACCESS_KEY
exec "${WEED:-weed}" mini -dir="$SEAWEEDFS_DIR/data" -s3.config="$SEAWEEDFS_DIR/s3.json" -bucket="$SEAWEEDFS_BUCKET" \
  -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -master.telemetry=false "$@"
