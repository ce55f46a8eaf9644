"""Ansible as a program: starting a play and hearing how it goes."""

from freehold.system.ansible.api import Play, Playbooks, PlayEnd, TaskFailure

__all__ = ["Play", "PlayEnd", "Playbooks", "TaskFailure"]
