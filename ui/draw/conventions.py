"""Where PyTorch, optax and this app differ, rule by rule. tests/test_conventions.py shows each of them in numbers."""

from __future__ import annotations

# by the rule's name, each statement under a name of its own; "here" is this app
CONVENTIONS: dict[str, dict[str, str]] = {
    "SGD": {
        "weight decay": "PyTorch and this app add weight decay to the gradient. optax's `sgd` has none: there "
        "`add_decayed_weights` stands before it.",
        "coupled or not": "Without a memory it makes no difference whether weight decay goes into the gradient or is "
        "taken off the parameters, so SGD has no switch for it.",
    },
    "Momentum": {
        "whole gradients": "PyTorch, optax and this app add each new gradient to the velocity as a whole, not a "
        "tenth of it. So with a momentum of 0.9 the steps down an even slope become 10 times as long.",
        "dampening": "PyTorch has one more number, `dampening`: it makes every new gradient smaller, but not the "
        "first. It is 0 unless it is set. Neither optax nor this app has it.",
    },
    "Nesterov": {
        "where the gradient is taken": "Nesterov took the gradient at a point ahead. PyTorch, optax and this app take "
        "it at the point where they are, and add the momentum once more. The path is the same, seen from the points "
        "ahead.",
    },
    "AdaGrad": {
        "start of the sum": "PyTorch and this app begin with a sum of 0, so that the first step is $\\alpha$ long. "
        "optax begins with 0.1: where the gradient is small, its first steps are shorter.",
        "place of eps": "PyTorch and this app add $\\epsilon$ after the root, optax under it, as this app does with "
        "*eps in root* switched on.",
    },
    "RMSProp": {
        "place of eps": "PyTorch and this app add $\\epsilon$ after the root; optax adds it under the root unless "
        "`eps_in_sqrt=False`.",
        "length of the memory": "Of the mean of squares PyTorch and this app keep 0.99 in each step, optax 0.9.",
        "first step": "In all three, PyTorch, optax and this app, the mean of squares begins at 0 and is not "
        "corrected. So with 0.99 the first step is 10 times $\\alpha$ long. optax can correct it, with "
        "`bias_correction=True`.",
        "centered": "Rounding can take $s - \\bar g^2$ below 0, which has no root. This app then takes 0; the runs of "
        "PyTorch and optax are not a number from there on.",
    },
    "Adam": {
        "place of eps": "PyTorch, optax and this app add $\\epsilon$ after the root. optax has a second number, "
        "`eps_root`, under it, which is 0 unless it is set; *eps in root* does the same here.",
        "weight decay": "PyTorch and this app add weight decay to the gradient; it is then divided by the gradient's "
        "size like the rest. optax's `adam` has none: there `add_decayed_weights` stands before it.",
        "bias correction": "PyTorch and optax always divide the means by $1 - \\beta^t$. Without that, which is a "
        "switch here, Adam's first step is 3.16 times as long.",
    },
    "AdamW": {
        "strength": "Unless it is set, weight decay is 0.01 in PyTorch and here, and 0.0001 in optax.",
        "times the learning rate": "In PyTorch, optax and this app the pull is multiplied by the learning rate; in "
        "the paper it has a factor of its own.",
    },
    "AMSGrad": {
        "largest first": "PyTorch and this app keep the largest $s$ and correct it afterwards; optax corrects $s$ "
        "first and keeps the largest of that, so that a large first gradient makes its steps short for good.",
        "as in the paper": "The paper corrects nothing. That is the switch *bias correction* here, and "
        "`bias_correction_mu=False, bias_correction_nu=False` in optax.",
    },
    "NAdam": {
        "growing momentum": "PyTorch and this app begin with half the momentum and let it grow, as in the paper. optax "
        "has all of it from the start, which makes its first step longer.",
    },
    "Lion": {
        "where it is": "optax has Lion. PyTorch has not; programs to take home bring their own.",
        "weight decay": "Unless it is set, weight decay is 0.001 in optax and 0 here. Both take it off the parameters, "
        "times the learning rate.",
    },
    "Adamax": {
        "place of eps": "PyTorch, optax and this app add $\\epsilon$ to the size of each gradient before the largest "
        "is taken. The paper has none.",
        "weight decay": "PyTorch and this app add weight decay to the gradient. optax's `adamax` has none, and "
        "`adamaxw` takes it off the parameters, as this app does with *decoupled weight decay* switched on.",
    },
    "AdaDelta": {
        "learning rate": "The paper has none. PyTorch and this app multiply its steps by one, which is 1 unless it is "
        "set. optax has no default for it.",
        "size of eps": "As the steps grow from $\\epsilon$, it decides how long the first ones are. It is 1e-6 in "
        "PyTorch and optax, with which a run needs hundreds of steps to come anywhere, and 1e-4 here: ten times as "
        "far with the first step.",
        "place of eps": "PyTorch, optax and this app add $\\epsilon$ under both roots.",
    },
    "RProp": {
        "changed sign": "Where the gradient has changed its sign, PyTorch and this app leave out one step in that "
        "coordinate. The paper takes the last step back there.",
        "a step late": "optax makes each step one gradient late: the first move is 0, and the second goes by the "
        "first gradient. PyTorch and this app go by the gradient at hand, so programs for optax bring this app's "
        "rule.",
        "shortest and longest": "PyTorch and this app hold the first step too within the shortest and longest that "
        "are set. optax leaves it as it is until the gradient has kept or changed its sign.",
    },
    "Signum": {
        "where it is": "optax has Signum. PyTorch has not; programs to take home bring their own.",
        "weight decay": "optax's `signum` has none. This app takes it off the parameters, times the learning rate, as "
        "optax's `lion` does.",
        "nothing to correct": "The mean begins at 0 and is not corrected, in optax and here: that would make it "
        "longer, and of its length nothing is left.",
    },
    "Adan": {
        "where it is": "optax has Adan. PyTorch has not; programs to take home bring their own.",
        "weight of the change": "Its authors' program and this app weigh the change of the gradient by $\\beta_2$, "
        "which is 0.92; optax by $1 - \\beta_2$, so that it hardly looks ahead.",
        "place of eps": "This app adds $\\epsilon$ after the root, as its authors' program does. optax has a second "
        "number, `eps_root`, under it, which is 1e-8 unless it is set.",
        "weight decay": "optax and this app take it off the parameters, times the learning rate. Its authors' program "
        "does so with `no_prox=True`; else it divides the parameters by $1 + \\alpha \\lambda$.",
    },
    "ADOPT": {
        "where it is": "optax has ADOPT, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "first gradient": "In optax and this app, as in the paper, the first gradient makes no step: the mean of "
        "squares begins with it.",
        "bound": "In optax and this app a divided gradient is at most $c = (t - 1)^{1/4}$ in size, as in the last "
        "version of the paper. optax leaves that out with `use_clipping=False`.",
    },
    "AdEMAMix": {
        "where it is": "optax has AdEMAMix, in `optax.contrib`. PyTorch has not; programs to take home bring their "
        "own.",
        "weight of the slow mean": "It is 5 in optax and here, unless it is set. The paper calls it $\\alpha$, which "
        "is the learning rate here.",
        "growing": "The paper lets this weight and $\\beta_3$ grow during the first part of a training, and optax "
        "takes a function for either. Here they stay as they are set.",
        "not corrected": "Of the two means of gradients, optax and this app correct the fast one alone: the slow one "
        "counts for little at first.",
    },
    "SAM": {
        "where it is": "optax has SAM, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "two gradients": "optax makes two steps of each one, the first of them uphill, unless `opaque_mode=True`. "
        "This app takes both gradients in one step, and its path has only the points that this leads to.",
        "around which rule": "The paper and optax put SAM around any rule. Here it is around SGD.",
    },
    "Schedule-free SGD": {
        "where it is": "optax has it, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "which point": "The parameters of optax are the point y at which the gradient is taken; its "
        "`schedule_free_eval_params` makes x of them, the mean, which one uses in the end. Here x is what moves and "
        "is shown.",
    },
    "Schedule-free AdamW": {
        "where it is": "optax has it, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "which point": "The parameters of optax are the point y at which the gradient is taken; its "
        "`schedule_free_eval_params` makes x of them, the mean, which one uses in the end. Here x is what moves and "
        "is shown.",
        "weight decay": "In optax and this app z is pulled towards zero by as much as y is large, times the learning "
        "rate.",
    },
    "Prodigy": {
        "where it is": "optax has Prodigy, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "bias correction": "optax corrects the means for their start at 0, as Adam does. The paper and this app do "
        "not: with their usual numbers, the first step is 3.16 times as long.",
        "weight decay": "optax can pull the parameters towards zero. This app's Prodigy has no weight decay.",
    },
    "Sophia": {
        "where it is": "optax has Sophia, in `optax.contrib`. PyTorch has not; programs to take home bring their own.",
        "which curvatures": "optax estimates the curvatures with random signs, which is cheap in large models. Here "
        "they are those of the Hessian itself, so that every run is the same.",
        "when it looks": "In its first step this app, as the paper, goes by the curvatures that it has just looked at. "
        "optax goes by those of the step before, at first by none, and makes its first step the longest one.",
        "scale": "The factor $\\gamma$ is 0.01 in optax unless it is set, for gradients with much noise; there most "
        "steps are held to the longest one. Here it is 1: a step that is not held is $\\alpha$ times one of Newton's "
        "method.",
    },
    "Backtracking": {
        "where it is": "optax has the search, `scale_by_backtracking_linesearch`. PyTorch has none like it; programs "
        "to take home bring their own.",
        "first trial": "optax begins each search with 1.5 times the step that the last one has taken, but with 1 at "
        "most. This app begins each with $\\alpha$.",
    },
    "Polyak": {
        "where it is": "optax has `polyak_sgd`. PyTorch has not; programs to take home bring their own.",
        "longest step": "optax holds the step to 1 at most, unless `max_learning_rate` is set. Here, as in the paper, "
        "it is as long as the loss and the slope say.",
        "factor": "optax's `scaling` is squared with the gradient: 0.5 makes the steps twice as long. Here "
        "$\\alpha$ multiplies the step, and 0.5 makes it half as long.",
    },
    "Muon": {
        "where it is": "optax has Muon, in `optax.contrib`, and PyTorch too, from 2.9 on. Both take matrices alone: "
        "for a vector PyTorch raises an error, and optax hands it to AdamW. Here a vector is a matrix of one column.",
        "first steps": "PyTorch and this app add the newest gradient once more, as Nesterov's momentum does. optax "
        "corrects the two parts for their start at 0, by different numbers: there, the first steps go another way.",
        "half precision": "PyTorch makes the five rounds with numbers of 16 bits, optax and this app with 32.",
        "weight decay": "PyTorch takes weight decay off the parameters, 0.1 unless it is set, and optax 0. This app's "
        "Muon has none.",
    },
    "Shampoo": {
        "where it is": "Neither PyTorch nor optax has it; programs to take home bring their own.",
    },
    "Conjugate gradient": {
        "where it is": "Neither PyTorch nor optax has it. SciPy has, with a search that may also make a step longer "
        "than the first one that it tries.",
    },
    "Newton": {
        "where it is": "Neither PyTorch nor optax has it. Textbooks leave the sign of each curvature as it is, and "
        "then it goes to the nearest level point, be that a minimum, a saddle or a top.",
    },
    "BFGS": {
        "where it is": "Neither PyTorch nor optax has it. SciPy has, with a search that goes on until the slope has "
        "become less steep as well, so that no step has to be left out of what it learns.",
    },
    "L-BFGS": {
        "where it is": "optax has its direction, `scale_by_lbfgs`, and `lbfgs` with another search. PyTorch has "
        "`LBFGS`, with another search or with none. Programs to take home bring this app's rule.",
        "first step": "Before it knows anything, optax divides a gradient that is longer than 1 by its length, and "
        "PyTorch by the sum of its coordinates' sizes. Here the search alone makes the first step shorter.",
        "where it bends down": "optax keeps a pair with $\\langle s, y \\rangle < 0$ too, which can turn the step "
        "uphill. PyTorch and this app leave it out.",
    },
}
