"""The operator: a loop that keeps topics, indexes, users, the sink connector and retention as wanted, whatever happens to them.

The keepers run side by side, each on its own thread, each a plain "look, compare, put right" step:

- `topics.TopicKeeper`       Kafka topics: present, partitions, retention
- `schema.SchemaKeeper`      MongoDB collections: validator and indexes
- `mongo_root.MongoRootKeeper`  the administrator's password, while it is changed
- `mongo_users.MongoUsersKeeper`, `kafka_users.KafkaUsersKeeper`  users and their rights, where there are login files
- `connector.ConnectorKeeper` the sink connector: configuration, restarts of what FAILED, the "RUNNING but stuck" watch
- `retention.RetentionKeeper` old raw readings and windows, removed in bounded slices

An outage of any of Kafka, MongoDB or Connect is a state to report and wait out, never a reason to exit.
"""
