"""What the rules of `capacity_rules.py` say in fixed words: summaries by code, and what to do by resource. Pure."""

from freehold.planning.capacity import Resource

SUMMARIES = {
    "not-enough-memory": "This computer has too little memory",
    "memory-tight": "Memory may run short",
    "cpus-tight": "More CPUs are asked for than there are",
    "not-enough-disk": "The storage pool is too small",
    "disk-tight": "The storage pool may fill up",
    "not-enough-vram": "No graphics card has that much memory",
    "vram-tight": "The memory of graphics cards may run short",
}
CODES = frozenset(SUMMARIES)
"""What these say depends on the moment, so a saved plan does not hang on them."""

HINTS = {
    Resource.CPUS: "Lower `cpu` in infra.yml; with more, machines only wait for each other.",
    Resource.MEMORY: "Lower `memory` in infra.yml, or add memory to the computer.",
    Resource.DISK: "Lower `disk`, or `size` of volumes, in infra.yml, or enlarge the pool.",
    Resource.VRAM: "Lower `memory` of `gpu` in infra.yml, or name another card there.",
}
WHO = "To see who takes what:\n    freehold plan --capacity"
