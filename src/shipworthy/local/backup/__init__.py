"""Backups of the embedded database and the files beside it, and putting them back.

Knows PostgreSQL's programs and the folder that backups lie in; nothing of tables or tenants.
"""
