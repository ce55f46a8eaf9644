#!/bin/sh
# repository.sh FOLDER VERSION…: makes FOLDER/app.tar, a Git repository with a commit for each version, the first of
# them tagged v1. The same versions give the same commits. Called by prepare.yml and verify.yml.
set -eu
folder=$1
shift
export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
rm -rf "$folder/app" "$folder/app.git"
git init --quiet --initial-branch main "$folder/app"
cd "$folder/app"
for version in "$@"; do
    echo "$version" >version
    git add version
    git -c user.name=Ada -c user.email=ada@example.org commit --quiet --message "$version"
    git rev-parse --quiet --verify v1 >/dev/null || git tag v1
done
git clone --quiet --bare "$folder/app" "$folder/app.git"
tar --create --file "$folder/app.tar" --directory "$folder" app.git
