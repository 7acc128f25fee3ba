"""The Gradients page: its controls, and a module for each of its parts."""
