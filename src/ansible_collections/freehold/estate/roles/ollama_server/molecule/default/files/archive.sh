#!/bin/sh
# archive.sh FOLDER [VERSION]: makes FOLDER/ollama.tar.zst and FOLDER/ollama.tgz, laid out as Ollama's releases are, with the
# stand-in as the program, and beside each a .sha256. Called by prepare.yml and by tests/llm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
rm -rf "$folder/archive"
mkdir -p "$folder/archive/bin" "$folder/archive/lib/ollama"
sed "s/0.0.0-stand-in/${2:-0.0.0-stand-in}/" "$here/ollama" >"$folder/archive/bin/ollama"
chmod 755 "$folder/archive/bin/ollama"
echo library >"$folder/archive/lib/ollama/libstand-in.so"
cd "$folder"
tar --create --sort=name --mtime=2026-01-01 --owner=1000 --group=1000 --directory archive bin lib >ollama.tar
gzip --no-name --stdout ollama.tar >ollama.tgz
zstd --quiet --force ollama.tar -o ollama.tar.zst
rm -r archive ollama.tar
for name in ollama.tgz ollama.tar.zst; do
    sha256sum "$name" | cut -d ' ' -f 1 >"$name.sha256"
done
