"""What takes longer than a benchmark; each module is one `make proof NAME=<name>`."""
