"""What a slope is, how a computer finds it, and how to check one's own: on any function of x, and on a loss."""

from ui.frame import frame

with frame("Gradients") as actions:  # to be read while the import below loads
    from ui.gradients.page import show

    show(actions)
