# Apache-2.0 (see LICENSE)
"""What `ansible-doc freehold.estate.snapshot` shows. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: take, delete and list snapshots of machines, and go back to them
description:
  - A snapshot of a machine takes in its volumes. Machines of one domain that are named together get theirs all or none.
  - Works by the same code as C(freehold snapshot), on the computer that runs Ansible, whatever host the task is for, with the rights of
    whoever runs Ansible. C(become) and C(delegate_to) change nothing of that. Nothing is sent to the host.
  - The commands C(pre) and C(post) of C(infra.yml) run in the machines before and after.
  - Tasks for several hosts at the same time wait for each other where they change something.
author: The developers of Freehold
extends_documentation_fragment: [freehold.estate.estate]
options:
  targets:
    description:
      - Machines (V(homelab/llm)), domains (V(homelab)), V(all), or V(self), which is the machine that Ansible runs in.
    type: list
    elements: str
    default: [all]
  state:
    description:
      - V(present) takes a snapshot of every machine that has none of this name, V(absent) deletes those that there are.
      - V(restored) goes back, each time the task runs. The machines that run are stopped for it and started again.
      - V(list) changes nothing and returns what there is.
    type: str
    choices: [present, absent, restored, list]
    default: present
  name:
    description: Of the snapshot. Without it V(restored) goes back to the newest of each domain; V(present) and V(absent) need it.
    type: str
  expires:
    description: With V(present), delete it by itself after that time, such as V(12h), V(7d) or V(4w). Without it, never.
    type: str
  copy:
    description: With V(restored), keep what is replaced as a snapshot, for a week.
    type: bool
    default: true
  agreed:
    description: With V(restored), that going back is meant. Nobody can be asked.
    type: bool
    default: false
  confirm:
    description:
      - With V(restored) and without O(copy), the machines (V(homelab/llm)), domains or the estate whose data may be lost.
    type: list
    elements: str
    default: []
attributes:
  diff_mode:
    description: Names what is done; content is never shown.
    support: partial
"""

EXAMPLES = r"""
- name: A snapshot of a domain before its machines are updated
  freehold.estate.snapshot:
    targets: [homelab]
    name: before-update
    expires: 7d

- name: Back to it
  freehold.estate.snapshot:
    targets: [homelab]
    name: before-update
    state: restored
    agreed: true

- name: Which snapshots there are
  freehold.estate.snapshot:
    state: list
  register: found
"""

RETURN = r"""
plan:
  description: How many snapshots were to be taken (create) and deleted, and how many machines were to go back (update).
  returned: when the state is not V(list) and the machines could be looked at
  type: dict
  sample: {create: 1, update: 0, replace: 0, delete: 0, unchanged: 0, orphans: 0}
changes:
  description: What was done, in check mode what would be done.
  returned: when the state is not V(list) and the machines could be looked at
  type: list
  elements: dict
  sample:
    - {address: "snapshot:homelab/before-update", action: create, reason: was asked for, destroys_data: false}
not_done:
  description: What was to be done and is not, in the form of RV(changes).
  returned: when a part of the changes failed or was stopped
  type: list
  elements: dict
snapshots:
  description: All snapshots of the machines, as C(freehold snapshot list --json) prints them.
  returned: when the state is V(list)
  type: list
  elements: dict
  sample:
    - machine: homelab/llm
      name: before-update
      taken: "2026-11-21T19:30:12+00:00"
      expires: null
      volumes: [llm.models]
      whole: true
table:
  description: The same as C(freehold snapshot list) prints it, line by line.
  returned: when the state is V(list)
  type: list
  elements: str
"""
