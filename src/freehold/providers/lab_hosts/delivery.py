"""What is done inside a host when the lab hands it over, as one script each: the way in, and the way to packages. Pure.

Nothing here is secret: a public key, a user's name, a port, addresses. Called by `host_steps.py`.
"""

from collections.abc import Mapping

SECONDS = 120.0  # for one script; its first line may wait for a system that still boots

_ALONE = """
set -eu
exec 9>/run/lab-delivery.lock
flock 9
"""
"""Incus may start a command and yet say that it could not; then it is asked again, and two of the same run at once."""

_WAY_IN = r"""
user=$1 port=$2 key=$3 gateway=$4
tries=0
until systemctl --quiet is-active ssh; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { systemctl status --no-pager ssh >&2; exit 1; }
    sleep 0.2
done
if [ "$user" != root ]; then
    id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
    printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$user" >/etc/sudoers.d/delivered
    chmod 0440 /etc/sudoers.d/delivered
fi
for each in root "$user"; do
    home=$(getent passwd "$each" | cut -d: -f6)
    install -d -m 0700 -o "$each" -g "$each" "$home/.ssh"
    printf '%s\n' "$key" >"$home/.ssh/authorized_keys"
    chown "$each:$each" "$home/.ssh/authorized_keys"
    chmod 0600 "$home/.ssh/authorized_keys"
done
printf 'nameserver %s\n' "$gateway" >/etc/resolv.conf
if [ "$port" != 22 ]; then
    sed -i "s/^#\{0,1\}Port .*/Port $port/" /etc/ssh/sshd_config
    systemctl restart ssh
fi
"""

_PACKAGES = r"""
settings=$1
shift
apt=/etc/apt/apt.conf.d/90lab-packages sudo=/etc/sudoers.d/lab-packages
sed -i '/^# lab packages$/,/^# end of lab packages$/d' /etc/environment 2>/dev/null || :
rm -f "$apt" "$sudo"
[ $# -gt 0 ] || exit 0
{
    printf '# lab packages\n'
    printf '%s\n' "$@"
    printf '# end of lab packages\n'
} >>/etc/environment
names=
for each; do
    names="$names ${each%%=*}"
    case $each in
        http_proxy=*) printf 'Acquire::http::Proxy "%s";\n' "${each#*=}" >>"$apt" ;;
        https_proxy=*) printf 'Acquire::https::Proxy "%s";\n' "${each#*=}" >>"$apt" ;;
    esac
done
[ ! -e "$settings/apt.conf" ] || cat "$settings/apt.conf" >>"$apt"
printf 'Defaults env_keep += "%s"\n' "${names# }" >"$sudo"
chmod 0440 "$sudo"
"""
"""Whoever logs in has the variables by PAM, and keeps them through sudo; apt finds its proxy also where there are none."""


def way_in(user: str, port: str, key: str, gateway: str) -> list[str]:
    """A user who may become root without a password, a public key for both, sshd at the port, and DNS.

    May be repeated, as long as nobody else has changed the host's SSH.
    """
    return ["sh", "-c", _ALONE + _WAY_IN, "delivery", user, port, key, gateway]


def packages(variables: Mapping[str, str], settings: str) -> list[str]:
    """The way to packages, with whatever was there of an earlier one taken away; no variables: none."""
    words = [f"{name}={value}" for name, value in sorted(variables.items())]
    return ["sh", "-c", _ALONE + _PACKAGES, "packages", settings, *words]
