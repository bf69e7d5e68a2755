"""How often is the judge wrong? Every rule on simulated and recorded noise with a known truth."""
