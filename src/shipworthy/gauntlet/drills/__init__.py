"""Drills: something the app needs is broken under load, and what may and may not happen is written down.

`drill` runs one from its declaration; `writes` keeps the account of what was acknowledged, `phases`
reads a load second by second, `whole_app` are the drills on the app's needs, `mail` and `sign_in` two that
keep accounts of their own. The worker's drill is older and stands in probes/drill_worker.py.
"""
