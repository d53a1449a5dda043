"""paai: takes readings over HTTP, answers once Kafka has acknowledged them, and answers questions about stored ones.

Keeps nothing of its own: any number of processes may share one port.
"""
