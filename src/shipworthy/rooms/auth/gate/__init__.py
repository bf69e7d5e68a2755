"""The login gate: who may come to the hash, in what order, and who is told at once to come back."""
