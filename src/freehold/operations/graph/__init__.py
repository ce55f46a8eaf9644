"""The estate as a picture, from infra.yml alone: as SVG, and as Mermaid text for documents that draw it themselves."""

from freehold.operations.graph.mermaid import mermaid
from freehold.operations.graph.svg import svg

__all__ = ["mermaid", "svg"]
