"""How ZooKeeper, Kafka, Connect and Spark are configured and called, whoever starts them: processes and containers alike.

Imports nothing but the standard library and `backend.contract`, so that images need no more than a Python.
"""
