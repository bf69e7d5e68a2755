"""Where addresses lead that show no page: left behind by moves, or written by hand."""
