"""The open-loop load engine: requests leave when they are due, whether or not answers came.

Owns arrivals, pacing, the HTTP/1.1 client, recording and the engine's audit of itself.
Knows journeys and SLOs from the contract, nothing of the app behind the address.
`python -m shipworthy.gauntlet.load` is one generator process; `process` starts it.
"""
