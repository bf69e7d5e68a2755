"""How a tenant's invoices look: logo, accent colour, footer. Frozen with the seller when an invoice is issued."""
