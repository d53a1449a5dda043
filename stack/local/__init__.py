"""The target "local": the services as plain processes of this machine under supervisord, on loopback only."""
