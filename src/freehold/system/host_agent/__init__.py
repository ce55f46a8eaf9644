"""The host's packet filter and routing, from inside a control machine: by an agent on the host that does this and no more.

A machine has a packet filter of its own; loading the estate's rules there would protect nobody. So what is asked of
`system.nftables`, `system.docker_user` and `system.routing` goes over a unix socket to the agent. `place` tells where this
process is, `systems` makes what fits there, `server` is the agent, `program` sees to it that it runs.
"""
