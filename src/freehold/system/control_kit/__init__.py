"""What the role `control` takes into a control machine: Freehold as a wheel, the versions beside it, and the estate's folder.

`python -m freehold.system.control_kit FOLDER ESTATE` makes them in FOLDER, on the computer that runs Ansible.
"""
