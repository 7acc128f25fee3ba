"""The words for what can be turned on an optimizer (``engine/knobs.py``)."""

from __future__ import annotations

ABOUT = {
    "learning_rate": "The factor that makes all steps longer or shorter.",
    "momentum": "How much of the last step is kept in the next one.",
    "weight_decay": "How strongly the parameters are pulled towards zero.",
    "smoothing_constant": "How much of the mean of squared gradients is kept in each step.",
    "centered": "Divide by the spread of the gradients around their mean, not by their size.",
    "beta1": "How much of the mean of gradients is kept in each step.",
    "beta2": "How much of the mean of squared gradients is kept in each step.",
    "eps": "A small number added to the divisor, so that it is never 0.",
    "momentum_decay": "How fast the momentum grows to its full size.",
    "bias_correction": "Divides the means by 1 − βᵗ, as they start at 0 and are too small in the first steps.",
    "eps_in_root": "Adds eps under the root and not after it, where it acts like its own root: 1e-8 like 1e-4.",
    "decoupled_weight_decay": "Takes weight decay, where there is any, off the parameters and not into the gradient.",
    "rho": "How much of the means of squared gradients and of squared steps is kept in each step.",
    "eta_plus": "What a step is multiplied with where the gradient has kept its sign.",
    "eta_minus": "What a step is multiplied with where the gradient has changed its sign.",
    "min_step_size": "No step becomes shorter than this.",
    "max_step_size": "No step becomes longer than this.",
    "beta": "How much of the mean of gradients is kept in each step.",
    "beta3": "How much of the mean of squares is kept in each step.",
    "slow_weight": "How much the slow mean of gradients counts beside the fast one.",
    "radius": "How far uphill the gradient is taken.",
    "curvature_scale": "What the curvature counts: the larger, the shorter the steps that are not held.",
    "refresh_interval": "In each how manieth step the curvatures are looked at.",
    "initial_distance": "How far away the minimum is taken to be at the start.",
    "shrink": "What a step that is refused is multiplied with.",
    "share": "How much of what the slope promises a step has to bring.",
    "memory": "From how many of its newest steps it learns how the loss bends.",
    "lowest_loss": "The lowest loss that there is.",
    "damping": "How much is added to the curvature in every direction, so that no step is too long.",
}


# what follows a rule's name where one of its switches is not as usual
CHANGED = {
    "centered": ("not centered", "centered"),
    "bias_correction": ("without bias correction", "with bias correction"),
    "eps_in_root": ("with eps after the root", "with eps in the root"),
    "decoupled_weight_decay": ("with coupled weight decay", "with decoupled weight decay"),
}
