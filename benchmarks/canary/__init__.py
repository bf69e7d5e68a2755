"""`make bench NAME=canary`: does a bad version go back, soon, and a good one through? Simulated and real."""
