"""Whether somebody keeps the kernel's clock right: one system call, adjtimex(2). Called by the doctor."""

import ctypes

_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    """The first fields of struct timex; the rest, and some room for what kernels may add, is `_rest`."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("_rest", ctypes.c_long * 32),
    )


def is_synchronised() -> bool:
    """Whether a time service disciplines the clock. Reads only (`modes` is 0), needs no privilege; raises OSError."""
    state = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, "adjtimex")
    return not state.status & _STA_UNSYNC
