"""Run as a program: reads [[module, arguments], …] as JSON, answers the payloads that Ansible makes of them, in base64.

A process of its own, for Ansible changes the Python that it is imported into.
"""

import base64
import json
import sys

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar


def main() -> None:
    """Answer one request."""
    init_plugin_loader()
    payloads = []
    for name, arguments in json.load(sys.stdin):
        built = modify_module(
            module_name=f"ansible.builtin.{name}",
            module_path=module_loader.find_plugin(f"ansible.builtin.{name}"),
            module_args=arguments,
            templar=Templar(loader=DataLoader()),
            task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
            module_compression="ZIP_DEFLATED",
        )
        payloads.append(base64.b64encode(built.b_module_data).decode())
    json.dump(payloads, sys.stdout)


if __name__ == "__main__":
    main()
