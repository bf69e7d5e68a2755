"""What the edge turns away, and whom it must not: `make bench NAME=edge`."""
