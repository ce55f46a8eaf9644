# The twenty tasks of tasks.yml as one script that changes only what is not yet as it should be: the limit.
set -eu
cd /srv
directory() { [ -d "$1" ] || mkdir "$1"; [ "$(stat -c %a "$1")" = "$2" ] || chmod "$2" "$1"; }
content() { [ -e "$1" ] && [ "$(stat -c %a "$1")" = "$2" ] || { cat >"$1"; chmod "$2" "$1"; }; }
line() { [ -e "$1" ] || touch "$1"; grep -qxF "$2" "$1" || echo "$2" >>"$1"; }

directory bench 755
directory bench/conf.d 750
echo greeting | content bench/greeting 644
echo farewell | content bench/farewell 600
for name in one two; do
    printf '# %s\nlisten 8080\nworkers 4\n' "$(hostname)" | content bench/conf.d/$name.conf 640
done
line bench/words "and welcome"
line bench/words "port 8080"
grep -q '^# BEGIN' bench/words || printf '# BEGIN\none\ntwo\n# END\n' >>bench/words
[ -L bench/link ] || ln -s /srv/bench/words bench/link
stat bench/words >/dev/null
[ ! -e bench/absent ]
/bin/true
cat bench/words >/dev/null
[ -e bench/built ] || echo built >bench/built
getent group bench >/dev/null || groupadd --gid 4242 bench
getent passwd bench >/dev/null || useradd --uid 4242 --gid bench --no-create-home --shell /bin/sh bench
[ "$(stat -c %U:%G bench/farewell)" = bench:bench ] || chown bench:bench bench/farewell
base64 bench/words >/dev/null
getent passwd bench >/dev/null
