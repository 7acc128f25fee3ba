"""A run in words: who, where, and how it ended."""

from __future__ import annotations

import textwrap

from ui.draw.tables import order
from ui.numbers import format_number
from ui.take_home.captions import describe_noise
from ui.take_home.descent import Descent


def describe_descent(descent: Descent) -> str:
    """The picture and the run of a descent, as plain text in a few paragraphs."""
    ranked = [name for name, _ in sorted(descent.traces.items(), key=order)]
    parts = [f"{descent.page}. {setting(descent)}", picture(descent)]
    if len(ranked) > 1:
        parts.append(f"How each one ended, the lowest loss first:\n{chr(10).join(end(descent, one) for one in ranked)}")
    else:
        parts.append(end(descent, ranked[0]))
    return "\n\n".join(parts)


def setting(descent: Descent) -> str:
    """Who runs where, from which start, and for how long."""
    names = list(descent.traces)
    who = f"{len(names)} runs" if len(names) > 1 else names[0]
    steps = f"{descent.steps:,} {descent.index}{'s' if descent.steps > 1 else ''}"
    run = f"from {point(descent, descent.start)}, for up to {steps}"
    if descent.fit is None:
        noise = f" With {describe_noise(descent.noise)}." if descent.noise else ""
        return f"{who} on {descent.where}, {run}.{noise} {descent.about}"
    batch = f" Each step looks at {descent.batch_size} of them." if descent.batch_size else ""
    return f"{who} on the mean squared error of {len(descent.fit.true):,} examples, {run}.{batch}"


def picture(descent: Descent) -> str:
    """What the picture shows."""
    if descent.page == "Linear Fit":
        return (
            f"The picture shows the points with the line that is fitted, the loss at every {descent.index}, and the "
            "loss over the parameters with the path down it."
        )
    surface = "the loss surface" if descent.fit is None else "the examples with the fitted surface"
    return (
        f"The picture shows {surface}, the loss as a map from above with the path of each racer, and the loss at "
        f"every {descent.index}."
    )


def end(descent: Descent, name: str) -> str:
    """How one racer ended."""
    run = descent.traces[name].run(0)
    how = descent.ends[name]
    racer = descent.racers.get(name)
    rate = f" (learning rate {format_number(racer.learning_rate)})" if racer and "learning_rate" in vars(racer) else ""  # type: ignore[attr-defined]
    where = f"at {point(descent, run.positions[-1])} with the loss {format_number(float(run.losses[-1]), 4)}"
    how = how if how.endswith(".") else f"{how[0].upper()}{how[1:]}."
    return f"{name}{rate}: ends {where}. {how}"


def point(descent: Descent, position: object) -> str:
    """A position with the names of its coordinates: x = 4, y = −1.5."""
    values = [format_number(float(value), 4) for value in position]  # type: ignore[attr-defined]
    return ", ".join(f"{name} = {value}" for name, value in zip(descent.coordinates, values, strict=True))


def parting(descent: Descent) -> str:
    """What to know before a program that rounds differently is compared with the app; "" where nothing."""
    parted = descent.parted()
    if not parted:
        return ""
    who = ", ".join(f"{name} from {descent.index} {step}" for name, step in parted.items())
    return textwrap.fill(
        (
            "To some runs the last digit matters: two starts a millionth apart soon part. Two programs round "
            f"differently, so this one need not end where the app did: {who}."
        ),
        100,
    )
