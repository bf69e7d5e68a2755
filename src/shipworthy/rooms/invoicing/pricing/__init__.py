"""What a price becomes: discounts and charges, prices that include their tax, and shares that lose no cent."""
