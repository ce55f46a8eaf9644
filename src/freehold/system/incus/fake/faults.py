"""Failures and slowness on order, for tests of what happens when Incus does not do as asked."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(slots=True)
class _Fault:
    method: str
    path: str
    error: Exception
    after: bool
    times: int


@dataclass(slots=True)
class Faults:
    """What was ordered. Methods and paths may hold `*`: `fail_next("P*", "/instances/*", …)`."""

    _faults: list[_Fault] = field(default_factory=list)
    _delays: list[tuple[str, str, float]] = field(default_factory=list)

    def order(self, method: str, path: str, error: Exception, *, after: bool, times: int) -> None:
        self._faults.append(_Fault(method, path, error, after, times))

    def slow(self, method: str, path: str, seconds: float) -> None:
        self._delays.append((method, path, seconds))

    def delay(self, method: str, path: str) -> float:
        """How long such a request takes; what was ordered last counts."""
        for its_method, its_path, seconds in reversed(self._delays):
            if fnmatchcase(method, its_method) and fnmatchcase(path, its_path):
                return seconds
        return 0.0

    def raise_for(self, method: str, path: str, *, after: bool) -> None:
        """Raise the first failure that was ordered for such a request, once for each of its times."""
        for fault in self._faults:
            matches = fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path)
            if matches and fault.after == after:
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                raise fault.error
