"""What every service does the same way: settings, token, body limit, errors, health, metrics, docs page, drain.

Knows no service. A service builds its application with `app.create_service_app` and runs it with `server.run`.
"""
