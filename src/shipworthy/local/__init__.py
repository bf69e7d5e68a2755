"""The laptop's services: PostgreSQL, Valkey, mail inbox, and the supervisor that keeps an app running.

Owns processes, ports and the `.shipworthy/` directory of one app. Knows nothing of rooms,
HTTP or SQL beyond what it takes to start a server.
"""
