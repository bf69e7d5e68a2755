"""Pure statistics: histograms, verdicts on proportions, duets and canaries, validity, burn rates.

Owns every rule that turns counts into PASS, FAIL or INCONCLUSIVE, each with its source and
its simulated error rates. Knows nothing of HTTP, databases or the clock. `burn` imports the
standard library only, because the runtime uses it too.
"""
