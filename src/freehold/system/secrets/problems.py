"""What can be wrong with secrets, in the user's words. No message holds a value, nor a line of what was deciphered."""

from collections.abc import Collection
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic, Severity, UsageError, did_you_mean
from freehold.model.secrets import is_secret_name

LARGEST_VALUE = (
    256 * 1024
)  # bytes: no key or certificate is larger, and targets hold them in memory


def refuse_unusable(name: str, value: bytes) -> None:
    """Raise UsageError unless this can be a secret."""
    if not is_secret_name(name):
        raise UsageError(
            Diagnostic(
                code="secret-name",
                summary="A secret cannot be called that",
                detail=f"{name!r} is not a letter followed by letters, digits, `_`, `-` and `.`.",
            )
        )
    if not value:
        raise UsageError(
            Diagnostic(
                code="secret-empty",
                summary="The secret is empty",
                detail=f"Nothing was given for `{name}`. Nothing was changed.",
            )
        )
    if len(value) > LARGEST_VALUE:
        raise UsageError(
            Diagnostic(
                code="secret-too-large",
                summary="The secret is too large",
                detail=f"`{name}` would have {len(value)} bytes; the limit is {LARGEST_VALUE}.",
            )
        )


def unknown(name: str, known: Collection[str]) -> Diagnostic:
    """There is no secret of that name."""
    hint = did_you_mean(name, known)
    command = f"To give it a value:\n    freehold secret set {name}"
    return Diagnostic(
        code="no-such-secret",
        summary="There is no secret of this name",
        detail=f"`{name}` is not in secrets.yml.",
        hint=f"{hint}\n{command}" if hint else command,
    )


def no_identity(looked: Collection[Path], needs: Path) -> Diagnostic:
    """Nothing to open the file with."""
    places = ", ".join(map(str, looked))
    return Diagnostic(
        code="no-identity",
        summary="The key that opens the secrets is not here",
        detail=f"{needs} is encrypted, and there is no age identity: looked at {places}.",
        hint="Put your copy of the key there. Without any copy the secrets are lost: delete secrets.yml and set them again. "
        "If the key is somewhere else, say where (sudo needs --preserve-env=FREEHOLD_AGE_IDENTITY):\n"
        "    export FREEHOLD_AGE_IDENTITY=/path/to/age.txt",
    )


def bad_identity(path: Path, why: str) -> Diagnostic:
    """The file of the key is no such thing."""
    return Diagnostic(
        code="bad-identity",
        summary="The key that opens the secrets cannot be read",
        detail=f"{path}: {why}.",
        hint="It is a file as `age-keygen` makes it (AGE-SECRET-KEY-…), or an SSH key without a passphrase.",
    )


def not_a_recipient(file: Path, identities: Path) -> Diagnostic:
    """The key is there, and it is another one."""
    return Diagnostic(
        code="not-a-recipient",
        summary="This key does not open the secrets",
        detail=f"{file} is encrypted for others than the identities in {identities}.",
        hint="Ask somebody who can read it to add the public key of yours to .freehold-recipients and to write it anew:\n"
        "    freehold secret edit",
    )


def would_lock_out(file: Path, recipients: Path, identities: Path) -> Diagnostic:
    """What is about to be written could not be read again from here."""
    return Diagnostic(
        code="not-a-recipient",
        summary="This key would not open the secrets any more",
        detail=f"{recipients} names no public key of the identities in {identities}, so {file} is left as it is.",
        hint="Add yours to it; this shows it:\n    age-keygen -y " + str(identities),
    )


def bad_recipient(path: Path, line: int, why: str) -> Diagnostic:
    """A line of the recipients that is no public key."""
    return Diagnostic(
        code="bad-recipient",
        summary="A recipient of the secrets is no public key",
        detail=f"{path}:{line}: {why}. Nothing was written.",
        hint="Each line is a public key of age (age1…) or of SSH (ssh-ed25519 …), or begins with #.",
    )


def unreadable(path: Path, why: str) -> Diagnostic:
    """The file is not as it should be."""
    return Diagnostic(
        code="secrets-unreadable",
        summary="The secrets cannot be read",
        detail=f"{path}: {why}.",
        hint="Get the file back from a copy (git, a backup); Freehold writes it whole or not at all.",
    )


def not_encrypted(path: Path) -> Diagnostic:
    """Somebody left them in the open."""
    return Diagnostic(
        code="secrets-not-encrypted",
        summary="The secrets are not encrypted",
        detail=f"{path} is neither a file of age nor of SOPS, so nothing is read from it.",
        hint="Move it away and give its text to Freehold; whoever saw it knows these secrets:\n"
        "    mv secrets.yml plain.yml && freehold secret edit --stdin < plain.yml && shred -u plain.yml",
    )


def kept_by_sops(path: Path) -> Diagnostic:
    """A file that is read, and written by another program only."""
    return Diagnostic(
        code="secrets-of-sops",
        summary="SOPS keeps these secrets; Freehold only reads them",
        detail=f"{path} is a file of SOPS. Nothing was changed.",
        hint="Change it with `sops edit`, or give it the name under which Freehold reads it beside a file of its own:\n"
        "    mv secrets.yml secrets.sops.yml",
    )


def held_by_sops(names: Collection[str], path: Path) -> Diagnostic:
    """A change of what only SOPS may change."""
    told = ", ".join(sorted(names))
    return Diagnostic(
        code="secrets-of-sops",
        summary="SOPS keeps this secret; Freehold only reads it",
        detail=f"{told}: in {path}. Nothing was changed.",
        hint=f"Change it there:\n    sops edit {path}",
    )


def in_both(names: Collection[str], first: Path, second: Path) -> Diagnostic:
    """Two values for one name."""
    return Diagnostic(
        code="secret-twice",
        summary="A secret has two values",
        detail=f"{', '.join(sorted(names))}: in {first} and in {second}.",
        hint="Remove one of them; Freehold's own:\n    freehold secret remove NAME",
    )


def cannot_write(path: Path, error: OSError) -> Diagnostic:
    """The disk, or somebody's rights."""
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{path}: {error.strerror or error}. What was there is still there.",
        hint="Free some space or choose another place, then try again.",
    )


def identity_made(path: Path, public: str) -> Diagnostic:
    """A key was made, and nobody else has it."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="identity-made",
        summary="A key was made that opens the secrets: keep a copy of it",
        detail=f"{path} is the only thing that opens secrets.yml; its public key is {public}. Freehold has no copy.",
        hint=f"Copy it to where you keep passwords:\n    cat {path}",
    )


def fail(diagnostic: Diagnostic) -> BackendError:
    """As the error that the protocol names."""
    return BackendError(diagnostic)
