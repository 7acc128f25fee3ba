"""One line is fitted to points by gradient descent, and one sees how far a step may go."""

from ui.frame import frame

with frame("Linear Fit") as actions:  # to be read while the import below loads
    from ui.linear_fit.page import show

    show(actions)
