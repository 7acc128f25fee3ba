"""The 2D Regression page: its controls and figures."""
