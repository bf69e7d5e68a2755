"""Where pages stand: moving them, the bin, their order, and what leads to them."""
