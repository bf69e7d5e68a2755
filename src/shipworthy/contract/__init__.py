"""The words both halves speak: finding, verdict, manifest, target, exit codes.

Owns the vocabulary and its strict decoding. Knows nothing of databases, HTTP or the
terminal, and imports the standard library only: anyone may read these files to write a
manifest by hand.
"""
