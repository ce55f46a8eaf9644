"""Codes of what can be wrong with services, and with descriptors of the catalog.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code
from freehold.diagnostics import Severity

SERVICES: dict[str, Code] = {
    "unknown-service": Code(
        "Not in the catalog",
        "A service is one of the catalog: a file of `catalog/` beside infra.yml, or one that comes with Freehold.",
        "See `freehold catalog list`.",
    ),
    "unknown-target": Code(
        "Unknown target",
        "`on` names a host, or a machine as DOMAIN/MACHINE, that is not in infra.yml.",
        "Write one of the names under `hosts`, or DOMAIN/MACHINE.",
    ),
    "unsupported-target": Code(
        "The service cannot run there",
        "The catalog says as what a service runs (container, role, chart) and on which processors; the target can do none of it.",
        "Place it on another target.",
    ),
    "service-name-taken": Code(
        "A service and something else have one name",
        "Hosts, domains and services are named by single words, here, on the command line and to each other: one word must mean one thing.",
        "Rename one of them.",
    ),
    "unknown-setting": Code(
        "Unknown setting",
        "The catalog's entry of the service has no such setting.",
        "See `freehold catalog show NAME`.",
    ),
    "missing-setting": Code(
        "A setting must be given",
        "The catalog's entry has a setting without a default.",
        "Add it under `settings`.",
    ),
    "unknown-port": Code(
        "Unknown port of a service",
        "`ports` names ports of the service as the catalog does; values are the numbers on the target's own address.",
        "See `freehold catalog show NAME`.",
    ),
    "fixed-port": Code(
        "The port cannot be another",
        "The container has the target's own network: it listens on the ports that it has.",
        "Remove it from `ports`.",
    ),
    "port-taken": Code(
        "Two things on one port of a target",
        "Ports that are open on the target's own address are one's own: a service's that infra.yml or the catalog opens, one's that a service on another target needs, that of SSH.",
        "Give one of them another number: `ports: {NAME: NUMBER}`.",
    ),
    "unknown-need": Code(
        "Unknown need",
        "The catalog's entry of the service has no such need.",
        "See `freehold catalog show NAME`.",
    ),
    "wrong-need": Code(
        "The service does not meet the need",
        "A need asks for a service of one kind; the service named is of another, or is not in infra.yml.",
        "Name a service of the kind that the message says.",
    ),
    "missing-need": Code(
        "Nothing meets a need",
        "The service needs another, of which there is none in infra.yml.",
        "Add it to `services`.",
    ),
    "ambiguous-need": Code(
        "Several services meet a need",
        "Which one is meant cannot be guessed: they hold different data.",
        "Say which: `needs: {NAME: SERVICE}`.",
    ),
    "cyclic-needs": Code(
        "Services need each other in a circle",
        "Each waits for the next to be healthy before it starts, so none ever would.",
        "Take one need out of the circle: let it be met by another service.",
    ),
    "blocked-need": Code(
        "No policy lets a service reach what it needs",
        "The two are in different domains, or one is outside of them, and traffic between these is dropped unless a policy says otherwise.",
        "Add the policy that the message says.",
    ),
    "unreachable-need": Code(
        "A service cannot reach what it needs",
        "A computer reached by SSH has no way to the private addresses of the machines in domains.",
        "Place both on hosts, or both on machines.",
    ),
    "unknown-secret-need": Code(
        "Unknown secret of a service",
        "The catalog's entry of the service has no such secret.",
        "See `freehold catalog show NAME`.",
    ),
    "end-of-life": Code(
        "The version is past its end of life",
        "Its makers no longer mend it, holes in its security included; the day is the catalog's.",
        "Choose a newer `version`.",
        Severity.WARNING,
    ),
    "version-not-pinned": Code(
        "No digest for this version",
        "The catalog pins other versions of this image by their digest; of this one only the tag is known, which may come to mean another image.",
        "Use a version that the catalog pins, or write `image: NAME:TAG@sha256:…`.",
        Severity.WARNING,
    ),
    "image-without-container": Code(
        "An image for a service that is no container",
        "The catalog installs the service by a role on its target; there is no image to replace.",
        "Remove `image`.",
    ),
    "docker-needs-option": Code(
        "Docker cannot run with this option",
        "A container of Incus that runs containers itself needs the option as Freehold sets it.",
        "Remove the option from `config`, or place the service elsewhere.",
    ),
}

CATALOG: dict[str, Code] = {
    "no-way-to-run": Code(
        "The descriptor does not say as what the service runs",
        "A descriptor has at least one of `container`, `role` and `chart`.",
        "Add for example `container: {image: registry.example.org/app}`.",
    ),
    "only-in-containers": Code(
        "Key means nothing without a container",
        "Data, files, health and secrets are those of a container; a role brings its own.",
        "Remove it, or add `container`.",
    ),
    "unknown-name": Code(
        "Unknown name in a descriptor",
        "A part of the descriptor names another part (a port, a need, a secret) that is not there.",
        "Write one of the names that the message says.",
    ),
    "invalid-setting": Code(
        "Setting contradicts itself",
        "A setting's `default` is one of its `choices` where there are any, and both are of its `kind`.",
        "Correct `kind`, `default` or `choices`.",
    ),
    "template-syntax": Code(
        "Template cannot be read",
        "Templates are Jinja's; this one breaks its rules.",
        "See the message of Jinja above, and https://jinja.palletsprojects.com/templates.",
    ),
    "unknown-in-template": Code(
        "Unknown name in a template",
        "Templates see `service.name`, `version`, `settings`, `ports`, `secrets` and `needs` of their own descriptor, and nothing else.",
        "Write one of the names that the message says.",
    ),
    "secret-in-template": Code(
        "Secret where it would be seen",
        '`secret("NAME")` is the value itself: it may stand only in a file with `secret: true`, which is delivered like a secret.',
        "Write `secrets.NAME`, the path of its file, or set `secret: true` on the file.",
    ),
}
