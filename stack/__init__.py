"""How the system is brought up, looked at and taken down. No Qt."""
