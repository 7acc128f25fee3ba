"""Several optimizers leave one point together, on Ackley's function or another: who finds the deepest hole?"""

from ui.frame import frame

with frame("Ackley Race") as actions:  # to be read while the import below loads
    from ui.race.page import show

    show(actions)
