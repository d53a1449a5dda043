"""The generator: a fleet of simulated sensors that posts readings to paai, with faults on demand.

One way through it: `scheduler` says which slot is due → `signals` measure → `faults` disturb → `readings` encode →
`sender` delivers. `fleet` says which devices there are, `engine` ties the parts, `routes` let clients steer it, and
`history` writes the same signals and faults into files.
"""
