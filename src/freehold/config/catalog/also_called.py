"""Other words for the catalog's entries: what they do, and programs that do the same. Asked where a name is not found.

Read by `checks.services` and by `catalog show`.
"""

from collections.abc import Iterable

from freehold.diagnostics import did_you_mean

_WORDS = {
    "alertmanager": "alerts alerting telegram",
    "alloy": "log-shipper logs fluent-bit fluentd vector filebeat grafana-agent",
    "authelia": "login sso two-factor authentik keycloak",
    "blackbox-exporter": "uptime-probe uptime uptime-kuma probe probes blackbox ping",
    "caddy": "proxy reverse-proxy ingress nginx nginx-proxy-manager traefik apache haproxy",
    "cadvisor": "containers container-exporter docker-exporter",
    "cloudflared": "cloudflare cloudflare-tunnel tunnel",
    "dead-man": "watchdog dead-man-switch dead-mans-switch heartbeat healthchecks",
    "gluetun": "vpn wireguard openvpn airvpn",
    "jellyfin": "media plex emby kodi",
    "loki": "logging log-store elasticsearch graylog",
    "node-exporter": "node host-exporter telegraf netdata",
    "ollama": "llm llama llama-cpp",
    "open-webui": "chat openwebui",
    "postgres-exporter": "postgresql-exporter pg-exporter",
    "postgresql": "postgres pg database mariadb mysql",
    "prometheus": "metrics monitoring victoriametrics",
    "prowlarr": "indexer jackett",
    "qbittorrent": "torrent bittorrent transmission deluge",
    "radarr": "films movies",
    "redis": "cache valkey keydb memcached",
    "smartctl-exporter": "smart smartctl smartd disks scrutiny",
    "sonarr": "series shows tv",
    "tailscale": "tailnet headscale",
}
_ENTRIES = {word: entry for entry, words in _WORDS.items() for word in words.split()}


def meant(word: str, names: Iterable[str]) -> str | None:
    """A hint that names the entry that is meant: the one that the word stands for, or one called nearly so; else a few of them."""
    known = list(names)
    plain = word.strip().lower().replace(" ", "-").replace("_", "-")
    entry = _ENTRIES.get(plain)
    if entry in known:
        return f"Did you mean `{entry}`?"
    return did_you_mean(plain, known)
