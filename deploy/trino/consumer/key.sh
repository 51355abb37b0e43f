#!/usr/bin/env bash
# Gives a reader a key: key.sh PASSWORD_FILE NAME prints the key, once, and keeps its bcrypt hash in the file.
# A former key of the same name ends. Trino reads the file again within seconds.
set -euo pipefail
file=${1:?name the password file} name=${2:?name the reader}
[[ $name =~ ^[a-z0-9][a-z0-9_-]*$ ]] || { echo "The name $name needs small letters, digits, _ or - alone." >&2; exit 2; }
key=$(openssl rand -hex 32) salt=$(openssl rand -hex 11)
hash=$(KEY=$key perl -e 'print crypt($ENV{KEY}, "\$2y\$10\$" . $ARGV[0])' "$salt")
[[ $hash == '$2y$10$'* ]] || { echo "crypt(3) of this machine has no bcrypt; use htpasswd -B instead." >&2; exit 1; }
others=$(grep -v "^$name:" "$file" || true)
printf '%s\n' ${others:+"$others"} "$name:$hash" >"$file" # in place: owner and mode stay
echo "$key"
