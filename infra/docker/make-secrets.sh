#!/usr/bin/env bash
# Makes the secrets of docker-compose.kafka.yml, once: what is there stays as it is. Run it as root, for each file can
# be read by the user of one container only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077
mkdir -p secrets

# Users in the containers: Hindcast and the proxy, Grafana.
hindcast=10001
grafana=472

make_secret() { # name, user, command that prints it
    local name=$1 user=$2
    shift 2
    [ -s "secrets/$name" ] && return
    "$@" >"secrets/$name.new"
    chown "$user:$user" "secrets/$name.new"
    chmod 0400 "secrets/$name.new"
    mv "secrets/$name.new" "secrets/$name"
    echo "made infra/docker/secrets/$name"
}

admin_key() { printf 'hc_admin_%s' "$(openssl rand -hex 32)"; }
signing_keys() { printf '{"keys": [{"kid": "%s", "seed": "%s"}]}' "$(date -u +%Y-%m-%d)" "$(openssl rand -hex 32)"; }
password() { openssl rand -hex 24; }
# Signed by itself, for trying things out; put one of your own authority in its place: certificate, chain, key.
certificate() {
    local folder
    folder=$(mktemp -d)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
    cat "$folder/certificate.pem" "$folder/key.pem"
    rm -r "$folder"
}

make_secret admin_key "$hindcast" admin_key
make_secret signing_keys "$hindcast" signing_keys
make_secret proxy_certificate.pem "$hindcast" certificate
make_secret grafana_password "$grafana" password
chmod 0755 secrets
