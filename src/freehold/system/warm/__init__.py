"""Into the machines for Ansible: commands and files, through Incus alone, no output ever lost.

The connection plugin `freehold.estate.incus` is the only caller. Everything that the plugin imports here is blocking
and from the standard library: Ansible imports it again in a process per task and machine.
"""
