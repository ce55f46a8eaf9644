"""The program that stays in a machine: it runs what the keeper sends, in a Python that is already warm.

These modules are sent as text and run by the machine's own Python, 3.9 or newer: they import nothing but each other and
the standard library. `shipping.py` beside this package sends them.
"""
