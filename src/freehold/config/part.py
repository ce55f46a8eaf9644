"""The base of every part of infra.yml's description. Used by `document` and `provision`."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """What all parts share: no conversion, no unknown keys, no changes afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)
