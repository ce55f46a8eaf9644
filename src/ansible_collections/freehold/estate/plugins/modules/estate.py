# Apache-2.0 (see LICENSE)
"""What `ansible-doc freehold.estate.estate` shows. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: estate
short_description: make a part of an estate as infra.yml says
description:
  - Looks at Incus and at the firewall of this computer, compares them with C(infra.yml) and does what differs, by the same code as
    C(freehold apply). What it leaves alone, C(freehold plan) leaves alone, and the other way round.
  - Works on the computer that runs Ansible, whatever host the task is for, with the rights of whoever runs Ansible. C(become) and
    C(delegate_to) change nothing of that. Nothing is sent to the host, so its Python does not matter.
  - In check mode it looks, and says what it would do. What tasks before it would have made is taken as made, with a warning.
  - Tasks for several hosts at the same time wait for each other where they change something.
author: The developers of Freehold
extends_documentation_fragment: [freehold.estate.estate]
options:
  kinds:
    description: Which kinds of resources to make. Without it, all of these.
    type: list
    elements: str
    choices: [project, bridge, profile, volume, firewall, docker-user, host-agent, instance, router]
  limit:
    description:
      - Which domains (V(homelab)) or machines (V(homelab/llm)) to make. Without it, the whole estate.
      - What belongs to the whole computer, such as the firewall, is never limited.
    type: list
    elements: str
    default: []
  prune:
    description: Delete what the estate has and C(infra.yml) no longer names.
    type: bool
    default: false
  confirm:
    description: The machines (V(homelab/llm)), domains or the estate whose data may be lost. Without it, nothing that holds data goes.
    type: list
    elements: str
    default: []
  undo_after:
    description:
      - The seconds in which new firewall rules must prove good, from 3 to 600; then the old ones come back.
      - Ansible gives a task no terminal, so that the operator's terminal is not asked as by C(freehold apply). The ways of admin
        machines are.
    type: int
    default: 15
attributes:
  diff_mode:
    description: Shows the fields that differ. Values that may be secrets are not shown.
    support: full
"""

EXAMPLES = r"""
- name: The whole infrastructure of the estate beside this playbook
  freehold.estate.estate:

- name: The bridges of one domain
  freehold.estate.estate:
    kinds: [bridge]
    limit: [homelab]

- name: A machine whose disk may be made anew
  freehold.estate.estate:
    limit: [homelab/llm]
    confirm: [homelab/llm]
"""

RETURN = r"""
plan:
  description: How many resources were to be created, updated, replaced and deleted, are unchanged, or are orphans.
  returned: when the estate could be looked at
  type: dict
  sample: {create: 1, update: 0, replace: 0, delete: 0, unchanged: 3, orphans: 0}
changes:
  description: What was done, in check mode what would be done.
  returned: when the estate could be looked at
  type: list
  elements: dict
  sample:
    - {address: "bridge:homelab", action: create, reason: does not exist yet, destroys_data: false}
not_done:
  description: What was to be done and is not, in the form of RV(changes).
  returned: when a part of the changes failed or was stopped
  type: list
  elements: dict
orphans:
  description: What the estate has and infra.yml no longer names.
  returned: when the estate could be looked at
  type: list
  elements: str
  sample: ["instance:homelab/old"]
"""
