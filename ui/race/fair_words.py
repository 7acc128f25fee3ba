"""A fair race in words: who leads under each of the terms, and what tuning changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.fair import TERMS, FairRace

SAID: Mapping[str, str] = {
    "same": "With one learning rate for all,",
    "own": "With the defaults of each,",
    "tuned": "With each one tuned,",
}
CLOSE = 0.01  # win rates that differ by less are said to be equal


def sentences(fair: FairRace) -> list[str]:
    """Who leads under each of the terms, and what tuning changed."""
    leaders = [leading(fair, place) for place in range(len(TERMS))]
    said = [f"{SAID[term]} {lead(fair, place, leaders[place])}" for place, term in enumerate(TERMS)]
    if not any(leaders):
        return said
    if len(fair.optimizers) > 1:
        said.append(change(fair, leaders))
    edge = at_the_edge(fair)
    if edge:
        said.append(f"The best learning rate of {listed(edge)} lies at the end of its range.")
    return said


def leading(fair: FairRace, term: int) -> list[int]:
    """Who wins most often, the most often first; with those who win as often, as near as makes no difference."""
    wins = fair.wins[term].mean(axis=0)
    best = np.argsort(-wins, kind="stable")
    return [int(place) for place in best if wins[place] > 0 and wins[best[0]] - wins[place] < CLOSE]


def lead(fair: FairRace, term: int, leaders: Sequence[int]) -> str:
    """The end of a sentence: who leads, by how much, and whether it could be luck."""
    if not leaders:
        return "none of them wins: all diverge."
    wins = fair.wins[term]
    first = wins[:, leaders[0]]
    if len(leaders) == len(fair.optimizers) > 1:
        return f"all win alike, {first.mean():.0%} of the starts each."
    if len(leaders) > 1:
        return f"{listed(bold(fair, leaders))} share the lead, with {first.mean():.0%} of the starts each."
    text = f"{bold(fair, leaders)[0]} wins most, {first.mean():.0%} of the starts"
    rivals = [place for place in range(len(fair.optimizers)) if place not in leaders and (wins[:, place] > first).any()]
    return f"{text}, though {listed(bold(fair, rivals))} did better in some repetitions." if rivals else f"{text}."


def change(fair: FairRace, leaders: Sequence[Sequence[int]]) -> str:
    """What became of the lead, and whom tuning helped most."""
    wins = fair.wins.mean(axis=1)
    own, tuned = wins[TERMS.index("own")], wins[TERMS.index("tuned")]
    always = set(leaders[0]).intersection(*leaders)
    if always:
        text = f"{listed(bold(fair, sorted(always)))} {'wins' if len(always) == 1 else 'win'} most all three times"
    elif leaders[1] and leaders[2] and not set(leaders[1]) & set(leaders[2]):
        first = leaders[1][0]
        text = (
            f"The winner changes with the terms: {bold(fair, [first])[0]} has {own[first]:.0%} with the defaults, and "
            f"{tuned[first]:.0%} once all are tuned"
        )
    else:
        text = "The winner changes with the terms"
    most = int(np.argmax(tuned - own))
    if tuned[most] - own[most] < CLOSE:
        return f"{text}."
    return f"{text}. Tuning all of them helps {bold(fair, [most])[0]} most: from {own[most]:.0%} to {tuned[most]:.0%}."


def at_the_edge(fair: FairRace) -> list[str]:
    """Whose best learning rate was most often the lowest or the highest that it could try."""
    tuned = fair.rates[TERMS.index("tuned")]
    edges = []
    for place, name in enumerate(fair.optimizers):
        if np.isclose(tuned[:, place][:, None], fair.ranges[place]).any(axis=1).mean() > 0.5:
            edges.append(name)
    return edges


def bold(fair: FairRace, places: Sequence[int]) -> list[str]:
    """The names of some optimizers in bold."""
    return [f"**{fair.optimizers[place]}**" for place in places]


def listed(parts: Sequence[str]) -> str:
    """Words as a list in a sentence: a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
