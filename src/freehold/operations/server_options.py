"""Which instance options a server knows, asked from the server itself. Called by `cli.validate`; quick and silent."""

from pathlib import Path

from freehold.config.config_keys import ConfigKeys
from freehold.system.unix_http import ask

PATIENCE = 2.0  # seconds: whoever checks a file does not wait for a server


def server_options(socket: Path) -> ConfigKeys | None:
    """The options of the Incus at the socket; None when there is none, or none that says."""
    try:
        reply = ask(socket, "GET", "/1.0/metadata/configuration", timeout=PATIENCE)
        metadata = reply.body.get("metadata")
        return ConfigKeys.from_metadata(metadata) if metadata else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
