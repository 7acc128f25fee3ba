"""Several optimizers fit two parameters to examples of a bowl, with all of them or a few at a time."""

from ui.frame import frame

with frame("2D Regression") as actions:  # to be read while the import below loads
    from ui.regression.page import show

    show(actions)
