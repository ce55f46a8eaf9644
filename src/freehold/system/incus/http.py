"""aiohttp, imported without the certificates that a unix socket never needs. Used by the modules beside this one.

aiohttp loads the system's certificate store when it is imported, which takes longer than a whole look at a server.
Whoever speaks TLS through it must bring an SSL context of his own; without one every server is refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STORE = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # read by OpenSSL, SSL_CTX_set_default_verify_paths(3)


@contextmanager
def _no_certificate_store() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _STORE}
    os.environ.update(dict.fromkeys(_STORE, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


with _no_certificate_store():
    import aiohttp

__all__ = ["aiohttp"]
