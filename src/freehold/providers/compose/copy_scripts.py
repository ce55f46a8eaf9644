"""What is done to the volumes of a service on its target, by its shell: measured, copied, brought back, thinned out. Run by `copies`.

Each takes the lock of the service's copies, which the programs that it starts hold too: what a killed run has left at work there is not met by another.
Power may fail between any two commands: what has its name is whole.
"""

FULL = 3
"""The exit code of ROOM that says so."""
NOTHING = 4
"""The same: there is no volume yet."""

_LOCKED = """
set -eu
folder=$1
shift
mkdir -p -m 700 "$folder"
exec 9>"$folder/.lock"
flock -n 9 || { echo "another run is still at work on its copies" >&2; exit 1; }
"""
# Volumes that are not there yet have nothing to be copied; whoever else is at work on one would be copied half-way, or lose what it writes.
_VOLUMES = f"""{_LOCKED}
there=$(docker volume ls --quiet)
is_there() {{ echo "$there" | grep -qxF -- "$1"; }}
place() {{ docker volume inspect --format '{{{{.Mountpoint}}}}' "$1"; }}
unused() {{
    used=$(docker ps --filter "volume=$1" --format '{{{{.Names}}}}')
    [ -z "$used" ] || {{ echo "the volume $1 is in use by" $used >&2; exit 1; }}
}}
"""

ROOM = f"""{_VOLUMES}
stale=$1
shift
cd "$folder"
rm -rf .new
[ -z "$stale" ] || rm -rf "./$stale"
need=0 found=
for volume; do
    is_there "$volume" || continue
    found=yes
    from=$(place "$volume")
    size=$(du -sk "$from/" | cut -f 1)
    need=$((need + size))
done
[ -n "$found" ] || exit {NOTHING}
free=$(df -Pk "$folder" | awk 'NR == 2 {{print $4}}')
echo "$((need / 1024)) MiB to copy, and $((free / 1024)) MiB are free"
[ "$need" -le "$((free - free / 10))" ] || exit {FULL}
"""
"""Whether the volumes have room, told in words. What a killed run has left half made goes, and so does `stale`."""

# `cp` shares blocks where the file system can. What was started meanwhile has written while it was copied.
COPY = f"""{_VOLUMES}
name=$1
shift
cd "$folder"
rm -rf .new
trap 'rm -rf .new' EXIT
mkdir .new
for volume; do
    is_there "$volume" || continue
    unused "$volume"
    from=$(place "$volume")
    cp -a --reflink=auto "$from/." ".new/$volume"
done
for volume; do unused "$volume"; done
sync -f .new
mv -T .new "$name"
"""
"""Copies the volumes to `name`."""

# From the same file system they are moved, for the new version may have left no room; else they keep their place until all is back, by another name.
RESTORE = f"""{_VOLUMES}
name=$1 aside=$2
shift 2
cd "$folder/$name" 2>/dev/null || {{ echo "there is no $folder/$name" >&2; exit 1; }}
here=$(stat -c %d .)
[ -z "$aside" ] || mkdir -p "../$aside"
for volume; do
    is_there "$volume" || continue
    to=$(place "$volume")
    rm -rf "$to.gone"
done
for volume in *; do
    [ -d "$volume" ] || continue
    unused "$volume"
    to=$(place "$volume")
    near=
    [ "$here" != "$(stat -c %d "$(dirname "$to")")" ] || near=yes
    back=$volume
    rm -rf "$to.back"
    if [ -z "$near" ]; then
        back=$to.back
        cp -a "$volume" "$back" || {{ rm -rf "$back"; exit 1; }}
    fi
    if [ -n "$aside" ] && [ -e "$to" ] && [ ! -e "../$aside/$volume" ]; then
        if [ -n "$near" ]; then
            mv -T "$to" "../$aside/$volume"
        else
            rm -rf "../$aside/.new"
            cp -a "$to/." "../$aside/.new"
            mv -T "../$aside/.new" "../$aside/$volume"
        fi
    fi
    [ ! -e "$to" ] || mv -T "$to" "$to.gone"
    mv -T "$back" "$to"
    [ ! -d "$volume" ] || mv -T "$volume" ".back-$volume"
    rm -rf "$to.gone"
done
"""
"""Puts what is in `name` back in its place. What stands there goes, or is kept as `aside`. One that was cut short is done to its end by the next."""

THIN = f"""{_LOCKED}
cd "$folder"
for each in * .new; do
    case $each in
        "$1" | "$2"@*) ;;
        *) rm -rf "./$each" ;;
    esac
done
"""
"""Deletes the copies but for that of this name and those of this version."""
