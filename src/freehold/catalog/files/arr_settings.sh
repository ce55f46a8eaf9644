#!/bin/bash
# Radarr, Sonarr and Prowlarr told by their own API what infra.yml says: folder, free space, who downloads, whom to serve.
#
# Run in the container of each (as the takeover of its API key) whenever that was made anew and is healthy; any number of times. Reads
# what is wanted as JSON; no secret is ever an argument of a program. The APIs: radarr.video/docs/api, sonarr.tv/docs/api, prowlarr.com/docs/api.
# What it is told it keeps whatever comes of that, and then tries: where it does not get in, this fails and says why.
set -euo pipefail
wanted=${1:-/run/freehold/arr.json}

want() { jq -r "$1" "$wanted"; }
url=$(want .url)
key=$(<"$(want .key_file)")

ask() { # METHOD PATH; what is sent stands on the standard input
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail-with-body --max-time 60 --request "$method" \
        --config <(printf 'header = "X-Api-Key: %s"\n' "$key") --header 'Content-Type: application/json' "$@" "$url/$path"
}
send() { ask "$@" --data @- >/dev/null; }

folder() {
    local path=$1
    ask GET rootfolder | jq -e --arg path "$path" 'any(.[]; (.path | rtrimstr("/")) == $path)' >/dev/null ||
        jq -n --arg path "$path" '{path: $path}' | send POST rootfolder
}

free_space() { # MEGABYTES
    local now id
    now=$(ask GET config/mediamanagement)
    id=$(jq -r .id <<<"$now")
    jq --argjson free "$1" '.minimumFreeSpaceWhenImporting = $free | .copyUsingHardlinks = true' <<<"$now" | send PUT "config/mediamanagement/$id"
}

# KIND ENTRY: has one of that name, made of the program's own template, with these fields. A secret is given as the file that holds it.
provide() {
    local kind=$1 entry=$2 name now id whole
    name=$(jq -r .name <<<"$entry")
    now=$(ask GET "$kind" | jq --arg name "$name" 'map(select(.name == $name))[0]')
    [ "$now" != null ] || now=$(ask GET "$kind/schema" | jq --arg of "$(jq -r .implementation <<<"$entry")" 'map(select(.implementation == $of))[0] | del(.id)')
    id=$(jq -r '.id // empty' <<<"$now")
    whole=$(jq --argjson entry "$entry" --rawfile secret "$(jq -r .secret_file <<<"$entry")" '
        . * $entry.properties | .name = $entry.name
        | ($entry.fields + {($entry.secret): ($secret | rtrimstr("\n"))}) as $given
        | .fields |= map(.name as $name | if $given | has($name) then .value = $given[$name] else . end)' <<<"$now")
    if [ -n "$id" ]; then
        printf %s "$whole" | send PUT "$kind/$id?forceSave=true"
    else
        id=$(printf %s "$whole" | ask POST "$kind?forceSave=true" --data @- | jq .id)
    fi
    printf %s "$whole" | jq --argjson id "$id" '.id = $id' | works "$kind" "$name"
}

# KIND NAME: it connects as it would later. What it only warns of fails nothing (ProviderControllerBase.cs of all three).
works() {
    local kind=$1 name=$2 answer wrong
    answer=$(ask POST "$kind/test?forceTest=true" --data @-) && return
    wrong=$(printf %s "$answer" | jq -nr 'input | map(select(.isWarning != true) | .errorMessage) | unique | join("; ")' 2>/dev/null) || wrong="no answer"
    [ -z "$wrong" ] || { printf '%s cannot be used: %s\n' "$name" "$wrong" >&2; return 1; }
}

if [ "$(want .folder)" != null ]; then
    path=$(want .folder)
    folder "$path"
    # It compares with what it may still fill: what is reserved for root is free already, and counts. It takes no less than 100.
    read -r total used left < <(df -Pm "$path" | awk 'NR == 2 { print $2, $3, $4 }')
    needed=$((total * $(want .keep_free) / 100 - (total - used - left)))
    free_space $((needed > 100 ? needed : 100))
fi
while read -r entry; do
    provide "$(jq -r .kind <<<"$entry")" "$entry"
done < <(jq -c '.entries[]' "$wanted")
