"""The anomalies page: which device behaves oddly, since when, how sure, why, and who has seen to it."""
