"""The edge's guard: turns attackers away, and neither people nor search engines (D17). Knows no room."""
