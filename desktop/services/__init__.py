"""Clients of the outside: Kafka, MongoDB, the generator, paai, files. No Qt; every wait is bounded."""
