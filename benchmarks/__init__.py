"""What the README's numbers rest on; each module is one `make bench NAME=<name>`."""
