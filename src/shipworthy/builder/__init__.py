"""From a few words to a runnable app: a spec, a plan that can be printed, files on disk.

Knows the contract and the settings that an app.toml is read into. What an app does lives in the versioned runtime; the scaffold is thin.
"""
