"""What the prediction job says of readings: expected values for focus devices, anomalies for all, as events with a memory.

`record` is one prediction, `expectations` one device's expected values and band, `events` the anomalies as people look at them,
`store` holds all of it for the window. No Qt, no I/O.
"""
