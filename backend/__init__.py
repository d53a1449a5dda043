"""What runs in containers: one package a service, the wire contract between them, and what they share."""
