"""Verbs that are not "make it so": status, verify, doctor, graph, the lab."""
