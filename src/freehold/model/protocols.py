"""What packets may be of: the protocols that policies and ports name. No I/O."""

from enum import StrEnum


class Protocol(StrEnum):
    """What a policy lets through."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
