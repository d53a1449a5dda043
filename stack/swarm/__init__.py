"""The target "swarm": the services as a Docker Swarm stack, deployed from `stack/stack.yml`."""
