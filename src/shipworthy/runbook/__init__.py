"""The living runbook: pages whose steps can be run, drawn from what an app declares, and proven by drills.

Knows the contract only. Who has hands (a running app, faults, a database) is told by `cli` (drill.Hands).
"""
