"""What the home page shows beside its words."""
