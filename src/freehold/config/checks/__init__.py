"""Cross-checks: what no single key can say. Each is a pure function from a Context to Diagnostics."""

from collections.abc import Callable, Iterator
from itertools import islice

from freehold.config.checks.addresses import addresses, enough_addresses
from freehold.config.checks.alerting import alerting
from freehold.config.checks.context import Context
from freehold.config.checks.detours import network_devices, proxies
from freehold.config.checks.firewall_machine import firewall_machine
from freehold.config.checks.gpu import gpu_machines, gpu_profiles, passed_through
from freehold.config.checks.hosts import first_ways, host_addresses, host_names, host_roles
from freehold.config.checks.instance_options import (
    known_options,
    managed_options,
    options_of_other_type,
    options_said_twice,
)
from freehold.config.checks.machines import control_machines, secure_boot, vm_memory
from freehold.config.checks.names import (
    bridge_names,
    estate_name,
    instance_names,
    inventory_names,
    names,
)
from freehold.config.checks.policies import (
    duplicate_policies,
    needless_policies,
    policy_ends,
    policy_ports,
)
from freehold.config.checks.profiles import devices, named_profiles
from freehold.config.checks.provision_files import provision_files
from freehold.config.checks.provision_lists import provision_lists
from freehold.config.checks.required import required_keys
from freehold.config.checks.roles import roles
from freehold.config.checks.snapshots import kept_snapshots, snapshot_options
from freehold.config.checks.subnets import subnet_ids
from freehold.config.checks.variables import variables
from freehold.config.checks.volumes import volume_paths
from freehold.config.codes import MOST_PROBLEMS
from freehold.diagnostics import Diagnostic


def placed_services(context: Context) -> Iterator[Diagnostic]:
    """What runs where; its checks are imported only where something does."""
    if context.placing is not None:
        from freehold.config.checks.services_all import service_problems

        yield from service_problems(context, context.placing)


CHECKS: tuple[Callable[[Context], Iterator[Diagnostic]], ...] = (
    required_keys,
    estate_name,
    names,
    instance_names,
    inventory_names,
    bridge_names,
    host_names,
    host_addresses,
    first_ways,
    host_roles,
    subnet_ids,
    firewall_machine,
    addresses,
    enough_addresses,
    named_profiles,
    devices,
    network_devices,
    proxies,
    managed_options,
    options_said_twice,
    known_options,
    options_of_other_type,
    vm_memory,
    secure_boot,
    control_machines,
    gpu_profiles,
    gpu_machines,
    passed_through,
    volume_paths,
    kept_snapshots,
    snapshot_options,
    policy_ends,
    policy_ports,
    duplicate_policies,
    needless_policies,
    provision_lists,
    provision_files,
    roles,
    variables,
    alerting,
    placed_services,
)


def run_checks(context: Context) -> list[Diagnostic]:
    """What every check finds, of each as much as can be shown."""
    return [found for check in CHECKS for found in islice(check(context), MOST_PROBLEMS + 2)]
