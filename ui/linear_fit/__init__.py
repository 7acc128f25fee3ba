"""The Linear Fit page: its controls, its data, its figures."""
