"""The anomalies page: which device is abnormal, since when, how sure, why, and who acknowledged it."""
