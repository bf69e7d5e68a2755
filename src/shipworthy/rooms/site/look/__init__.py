"""How a website looks, and whom it lets crawl it: what its owner chooses once for all of its pages."""
