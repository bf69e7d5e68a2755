"""The report: one RunResult shown as a live terminal view, a final screen, JSON and one HTML page.

Owns the words and the pictures; decides nothing. It knows the contract only, and reads these
conventions in it:

- `slo.*` findings are objectives: subject = the journey's name, the deciding measure is the
  one with a bound and an interval, a further measure named `p95` (ms) is shown beside it;
- `drill.*` findings are drills;
- Series and Distribution belong to the objective whose subject is their `journey`; a second
  with `requests == 0` is a gap in the curve, whatever its latency says;
- the first of `notes` says why, when `valid` is False.
"""
