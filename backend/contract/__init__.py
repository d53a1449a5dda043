"""The wire: what services, clients, Spark and the desktop agree on.

Imports nothing else of this project. A name, port, field or limit that two parts must agree on stands here, once.
"""
