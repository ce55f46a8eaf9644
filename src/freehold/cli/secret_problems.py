"""What can be wrong with what `freehold secret` is asked to do."""

from pathlib import Path

from freehold.diagnostics import Diagnostic


def not_the_same(name: str) -> Diagnostic:
    """A slip of the fingers."""
    return Diagnostic(
        code="secret-mistyped",
        summary="The two values are not the same",
        detail=f"{name} was left as it was.",
        hint=f"Try again, or give it on standard input:\n    freehold secret set {name} < FILE",
    )


def not_generated(name: str) -> Diagnostic:
    """Only its user can know it."""
    return Diagnostic(
        code="secret-not-generated",
        summary="Freehold does not know how to generate this secret",
        detail=f"No service in infra.yml says that `{name}` may be generated. Nothing was changed.",
        hint=f"If any text will do, say how long (`--length 32`). If somebody else gives it out, get a new one there:\n"
        f"    freehold secret set {name}",
    )


def not_secrets(where: str, line: int, why: str) -> Diagnostic:
    """A text that does not say names and values."""
    return Diagnostic(
        code="secrets-syntax",
        summary="This is no text of secrets",
        detail=f"{where}, line {line}: {why} Nothing was changed.",
        hint="Each line is `name: text`; put a text with special signs in quotes.",
    )


def text_kept(path: str) -> Diagnostic:
    """Where the text is that could not be taken."""
    return Diagnostic(
        code="secrets-draft-kept",
        summary="Your text is not lost",
        detail=f"It is in {path}, in memory, readable by you alone.",
        hint=f"Mend it, hand it over and delete it:\n    freehold secret edit --stdin < {path} && shred -u {path}",
    )


def no_folder(folder: Path) -> Diagnostic:
    """Nowhere to keep them."""
    return Diagnostic(
        code="no-folder",
        summary="There is no such folder",
        detail=f"{folder}",
        hint="Name the folder of infra.yml with `-C DIR`.",
    )
