"""Images under their names in the catalog, made without any registry: of Debian's packages, with what the makers' images do at a start.

One system serves for all, as `docker import` takes it. Called by `test_stack.py`.
"""

import subprocess
from pathlib import Path

from freehold.operations.lab.debian import KEYRING, apt_proxies, debian_mirror

PACKAGES = (
    "postgresql,redis-server,redis-tools,caddy,wget,python3,python3-psycopg2,python3-redis,"
    "prometheus-postgres-exporter,prometheus-redis-exporter"
)

# postgresql and redis give what they keep to the user 999, as the makers' images do; the database is made at the first start.
# The exporters are the users that those of the makers' images are; which of them it is, what they are given says.
START = """\
#!/bin/sh
set -e
export PATH=/usr/lib/postgresql/17/bin:$PATH
as_user() { user=$1; shift; exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"; }
as_999() { as_user 999 "$@"; }
[ -z "${DATA_SOURCE_URI:-}" ] || as_user 65534 prometheus-postgres-exporter "$@"
case "$1" in --redis.addr=*) as_user 59000 prometheus-redis-exporter "$@" ;; esac
case "$1 $(id -u)" in
"redis-server 0")
    chown 999:999 /data
    as_999 "$@" ;;
"postgres 0")
    install -d -o 999 -g 999 -m 700 "$PGDATA" /var/lib/postgresql/dumps
    install -d -o 999 -g 999 /var/run/postgresql
    as_999 "$0" "$@" ;;
"postgres 999")
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        initdb --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --auth-local trust --auth-host scram-sha-256
        echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
        pg_ctl --wait --options "-c listen_addresses=''" start
        createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
        pg_ctl --wait stop
    fi
    exec "$@" -c "listen_addresses=*" ;;
esac
exec "$@"
"""
_CADDY = 'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'
_START = 'ENTRYPOINT ["/usr/local/bin/start"]'
LOAD = f"""
set -eu
first=$1
docker import --change '{_START}' --change '{_CADDY}' /var/tmp/stack.tar "$first"
rm /var/tmp/stack.tar
shift
for name in "$@"; do docker tag "$first" "$name"; done
"""


def make_system(folder: Path, packages: str = PACKAGES, inside: str = "true") -> Path:
    """The system with these packages as a tar file in this folder; `inside` runs in it last. Takes a minute or two."""
    mirror = debian_mirror()
    assert mirror is not None, "apt on this machine knows no Debian mirror"
    start = folder / "start"
    start.write_text(START)
    start.chmod(0o755)
    made = folder / "stack.tar"
    argv = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--keyring={KEYRING}", f"--include={packages}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        f"--customize-hook=cp '{start}' \"$1/usr/local/bin/start\"",
        '--customize-hook=chroot "$1" usermod --uid 999 --non-unique postgres',
        f"--customize-hook=chroot \"$1\" sh -c '{inside}'",
        "trixie", str(made), mirror,
    ]  # fmt: skip
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **apt_proxies()}
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made
