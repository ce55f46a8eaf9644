"""The timer that has `freehold snapshot due` run every hour: a unit of systemd, or a process of its own.

`api` says what may be asked, `job` what is run and where that is written down, `systemd` and `process` are the two ways,
`loop` is that process. Called by `providers.timer` and, when the lab starts and stops, by `operations.lab`.
"""
