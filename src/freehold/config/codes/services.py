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
    "invalid-source": Code(
        "Nobody that a port could be open to",
        "`from` lists who may reach a port of a service on a host: IP addresses, networks such as `192.168.1.0/24`, names of hosts, or `all`.",
        "Write for example `from: {http: [192.168.1.0/24]}`.",
    ),
    "from-on-a-machine": Code(
        "`from` of a service on a machine",
        "Who reaches a machine is said by domains and policies; `from` is for services on hosts.",
        "Remove `from`; write a policy.",
    ),
    "untold-source": Code(
        "It is not known where a machine's packets come from",
        "A port of a host is open to those that need it alone. A machine's packets come out of the computer that runs Incus, with an address that infra.yml does not have.",
        "Name that address in `from`.",
    ),
    "closed-port": Code(
        "An open port that nobody may reach",
        "A port of a service on a host is open to the hosts whose services need it, and to whom `from` names; here there are neither. Programs of the host itself reach it.",
        "Say who may reach it: `from: {PORT: [ADDRESS]}`; `[]` when nobody is to.",
        Severity.WARNING,
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
    "unclear-need": Code(
        "Several services could meet a need that may stay unmet",
        "A service uses another where there is one. Which of several is meant cannot be guessed, so it uses none: Prometheus, for example, would hand its alerts to nobody.",
        "Say which: `needs: {NAME: SERVICE}`.",
        Severity.WARNING,
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
    "unreached-service": Code(
        "A service does not reach others that it is for",
        "Who measures or serves all others connects to each of them, and goes without those to which there is no way: a computer reached by SSH has none to the private addresses of machines, a domain without the Internet has none to computers outside of it, and a port that is open on IPv4 alone is not reached by an IPv6 address.",
        "Place both on hosts or both on machines; or, where there is a way (a route, a VPN), add a policy from or to `internet` with these ports.",
        Severity.WARNING,
    ),
    "network-elsewhere": Code(
        "A service has the network of one on another target",
        "A container can share the network of another only where that one runs.",
        "Place both on one target.",
    ),
    "network-port-taken": Code(
        "Two services of one network listen on one port",
        "Services that share a network share its ports too.",
        "Give one of them a network of its own: let the need of one be met by another service.",
    ),
    "nothing-to-expose": Code(
        "The service has nothing that people open in a browser",
        "`expose` gives a name to the port that the catalog's entry says people open (`exposes`).",
        "Remove `expose`; whoever wants the port itself names it under `ports`.",
    ),
    "exposed-name-taken": Code(
        "Two services have one name for people",
        "A browser that asks for a name gets one service.",
        "Give one of them another `host`.",
    ),
    "nobody-serves": Code(
        "Nobody serves the service under its name",
        "A service with `expose` is served by a proxy: an entry of the catalog with `reaches: [exposed]`.",
        "Add one to `services`.",
    ),
    "ambiguous-ingress": Code(
        "Several services could serve it",
        "Of several proxies the one on the service's own target serves it; here there is none, or more than one.",
        "Leave one proxy, or place one beside the service.",
    ),
    "public-without-login": Code(
        "A public service has no login",
        "What the Internet reaches is found and tried within hours. `auth: none` is for what everybody may see, and says why.",
        "Remove `auth: none`, or add the `reason`.",
    ),
    "no-login-service": Code(
        "Nobody asks for the login",
        "`auth` is asked for by a service of its own, which the proxy asks about each visitor.",
        "Add it to `services`, or write `auth: none`.",
    ),
    "login-without-name": Code(
        "People cannot reach the login",
        "Who is not logged in is sent to the login, so it needs a name under which a browser finds it.",
        "Give it one with `expose`.",
    ),
    "login-behind-itself": Code(
        "The login stands behind itself",
        "What asks people who they are must be open to those whom it does not know yet.",
        "Write `auth: none` and `reason: it is the login`.",
    ),
    "login-not-public": Code(
        "The login of a public service is not public",
        "Who comes from the Internet is sent to the login, and could not open it.",
        "Write `public: true` for the login too, with `auth: none` and a `reason`.",
    ),
    "outside-login-domain": Code(
        "The login does not hold for this name",
        "Browsers send the login's cookie to the names of one domain: that of its setting `domain`, else what stands behind the first dot of its own name.",
        "Give both names of one domain, or set `domain` of the login.",
    ),
    "invalid-login-domain": Code(
        "The login's cookie would be for a whole top-level domain",
        "Browsers refuse such a cookie, because strangers have names there too.",
        "Give the login a longer name, such as `auth.home.lan`, or set its `domain`.",
    ),
    "nobody-tells": Code(
        "Alerts are for nobody",
        "`alerts` says who is told. One service measures and finds out when it is time, another sends the message; one of them is missing.",
        "Add it to `services`.",
        Severity.WARNING,
    ),
    "nobody-told": Code(
        "Alerts reach nobody",
        "What is wrong is found out by a service that measures, and told by one that sends messages, to whom `alerts` says. One of the three is missing, so nothing is ever told.",
        "Add to infra.yml: `alerts: {telegram: {chat: CHAT, token: !secret telegram_token}}`.",
        Severity.WARNING,
    ),
    "not-watched": Code(
        "Something fails and nobody is told",
        "`alerts` says that somebody wants to be told. Of what nobody measures or looks at there is nothing to tell.",
        "Add to `services` who watches it.",
        Severity.WARNING,
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
    "file-without-content": Code(
        "A configuration file with no content, or two",
        "A file of a descriptor is written there as `content`, or lies beside the descriptor as `source`.",
        "Write one of the two.",
    ),
    "unreadable-source": Code(
        "A file of a descriptor cannot be read",
        "`source` is the path of a file of text, below the folder in which the descriptor lies.",
        "Put the file there, or write the path as it is.",
    ),
    "replaced-service": Code(
        "Another service took its place",
        "It still runs as it is written; the catalog names what its makers point to.",
        "See `freehold catalog show NAME` for the way over.",
        Severity.WARNING,
    ),
    "not-apart": Code(
        "A watchman on the target that it watches",
        "When that target stops, the two stop together, and nobody is told.",
        "Place one of them on another target.",
        Severity.WARNING,
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
    "path-taken": Code(
        "Two things at one path of the container",
        "Data, files, secrets, mounts and `tmpfs` have paths of their own: of two at one path only one could be seen there.",
        "Give one of them another path, or remove it.",
    ),
    "contradicting-network": Code(
        "The container cannot have this network",
        "`network_of` names a need that is not optional, and stands beside no `host_network`: a service whose network is to be another's must not come to have its own.",
        "Correct `network_of`, or remove `host_network`.",
    ),
    "template-syntax": Code(
        "Template cannot be read",
        "Templates are Jinja's; this one breaks its rules.",
        "See the message of Jinja above, and https://jinja.palletsprojects.com/templates.",
    ),
    "unknown-in-template": Code(
        "Unknown name in a template",
        "Templates see `service.name`, `version`, `settings`, `ports`, `secrets` and `needs` of their own descriptor, and `estate`; those of alerts do not see `estate`.",
        "Write one of the names that the message says.",
    ),
    "secret-in-template": Code(
        "Secret where it would be seen",
        '`secret("NAME")` is the value itself: it may stand only in a file with `secret: true`, which is delivered like a secret.',
        "Write `secrets.NAME`, the path of its file, or set `secret: true` on the file.",
    ),
}
