"""Egress: packages for the lab's machines, by a proxy outside of the lab, which keeps no network of its own.

`machines` is what machines get (pure), `material` the files they read, `surroundings` how this computer itself gets its
packages, `process` the proxy as a process, `proxy` its program, which answers requests with the other modules here.
"""
