"""What runs inside the images beside the services themselves: entry points and health probes.

`python3 -m stack.container ROLE` renders the role's configuration from the environment and becomes its program. Needs nothing
but the standard library: most images hold no other package.
"""
