"""The Ackley Race page: its controls, and the race on the stage."""
