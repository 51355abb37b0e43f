#!/usr/bin/env bash
# Makes what the consumer cluster needs and is not there yet: secrets.sh FOLDER HOST…
#
# shared-secret   what the nodes of the cluster know each other by
# jwt.key, .pub   the pair that signs tokens of readers; Trino needs only jwt.pub
# password.db     readers and the bcrypt hashes of their keys; key.sh adds to it
# tls.crt, .pem   a certificate for these hosts that no client knows, alone and with its key: replace tls.pem by a real one
set -euo pipefail
folder=${1:?name the folder}; shift
[[ $# -gt 0 ]] || { echo "Name the hosts of the certificate, as in: $0 folder trino.example.org 127.0.0.1" >&2; exit 2; }
umask 077
mkdir -p "$folder" && cd "$folder"
names=$(for host; do [[ $host =~ ^[0-9.]+$|: ]] && echo "IP:$host" || echo "DNS:$host"; done | paste -sd,)
[[ -e shared-secret ]] || openssl rand -base64 48 | tr -d '\n' >shared-secret
[[ -e jwt.key ]] || openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out jwt.key
[[ -e jwt.pub ]] || openssl pkey -in jwt.key -pubout -out jwt.pub
[[ -e password.db ]] || : >password.db
if [[ ! -e tls.pem ]]; then
  openssl req -x509 -newkey rsa:3072 -noenc -keyout tls.key -out tls.crt -days 365 -subj "/CN=$1" \
    -addext "subjectAltName=$names" 2>openssl.log || { cat openssl.log >&2; exit 1; }
  cat tls.key tls.crt >tls.pem && rm tls.key openssl.log
fi
