"""Secrets at rest: read, generated and kept in an encrypted file beside infra.yml."""

from freehold.system.secrets.api import NOT_YET, Secrets, settled

__all__ = ["NOT_YET", "Secrets", "settled"]
