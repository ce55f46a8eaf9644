"""The command line: one module per verb, which parses, calls, renders and gives the exit code."""
