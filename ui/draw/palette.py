"""The colours of both themes: one colour, dash and marker per racer, the same on every page; those of still figures.

A figure of the stage carries the names of CSS variables in their place, and the browser fills in what they are in the
theme that it shows. Imports nothing heavy, since the first thing a page sends holds these variables.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass

Shape = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Style:
    """How one racer is drawn. Colours keep at least 0.08 apart in OKLab, also as colour-blind people see them."""

    light: str
    dark: str
    dash: tuple[int, ...]  # lengths on and off in pixels; () is solid
    marker: Shape  # a polygon in a square from -1 to 1, y down

    def color(self, theme: str) -> str:
        """The colour in a theme, ``light`` or ``dark``."""
        return self.dark if theme == "dark" else self.light

    @property
    def variable(self) -> str:
        """The colour as a CSS variable, for a figure of the stage."""
        return f"var(--racer-{self.light[1:]})"


def polygon(corners: int, turn: float = 0.0, inner: float | None = None) -> Shape:
    """A regular polygon, its first corner on top plus ``turn`` corners; with ``inner``, a star."""
    radii = [1.0] * corners if inner is None else [1.0, inner] * corners
    angles = [2 * math.pi * (i + turn) / len(radii) - math.pi / 2 for i in range(len(radii))]
    return tuple((round(r * math.cos(a), 3), round(r * math.sin(a), 3)) for r, a in zip(radii, angles, strict=True))


def turned(shape: Shape, degrees: float) -> Shape:
    """A polygon, turned clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((round(x * cos - y * sin, 3), round(x * sin + y * cos, 3)) for x, y in shape)


PLUS: Shape = tuple(
    (x / 3, y / 3)
    for x, y in [
        (-1, -3),
        (1, -3),
        (1, -1),
        (3, -1),
        (3, 1),
        (1, 1),
        (1, 3),
        (-1, 3),
        (-1, 1),
        (-3, 1),
        (-3, -1),
        (-1, -1),
    ]
)

STYLES = (
    Style("#4d67f4", "#50a8fd", (), polygon(24)),
    Style("#ba5e2d", "#f27b09", (9, 4), polygon(3)),
    Style("#53a170", "#5affb4", (3, 3), polygon(4, 0.5)),
    Style("#900169", "#c05bba", (10, 3, 3, 3), polygon(4)),
    Style("#c1860d", "#ffea57", (16, 4), polygon(3, 1.5)),
    Style("#b5053d", "#ed3e50", (), polygon(5, inner=0.45)),
    Style("#6a37c9", "#8372f5", (9, 4), PLUS),
    Style("#1a679b", "#44d5ee", (3, 3), polygon(5)),
    Style("#4e5300", "#b2d11e", (10, 3, 3, 3), polygon(6)),
    Style("#1d2936", "#f1f8ff", (16, 4), polygon(4, inner=0.4)),
    Style("#582802", "#e1b091", (5, 5), polygon(3, inner=0.45)),
    Style("#6d7c74", "#939b98", (16, 3, 3, 3), polygon(6, inner=0.55)),
)

HOURGLASS: Shape = ((-0.8, -0.9), (0.8, -0.9), (0.2, 0), (0.8, 0.9), (-0.8, 0.9), (-0.2, 0))
CHEVRON: Shape = ((0, -0.9), (1, 0.2), (1, 0.9), (0, -0.1), (-1, 0.9), (-1, 0.2))
BAR: Shape = ((-1, -0.45), (1, -0.45), (1, 0.45), (-1, 0.45))
SLANTED_BACK: Shape = ((0.3, -0.7), (-1, -0.7), (-0.3, 0.7), (1, 0.7))
SLANTED: Shape = ((-0.3, -0.7), (1, -0.7), (0.3, 0.7), (-1, 0.7))

# On the dark page two more colours are the most that would keep their distance. So a rule beyond the twelfth shares the
# colour of one that seldom runs beside it, and is told from it by dash and marker: by the colour's place above
AGAIN = (
    (7, (6, 3, 1, 3), turned(PLUS, 45)),
    (8, (), HOURGLASS),
    (3, (7, 3), polygon(3, 0.75)),
    (2, (12, 3, 3, 3), CHEVRON),
    (6, (2, 4), polygon(8, inner=0.5)),
    (11, (7, 3), BAR),
    (10, (12, 3, 3, 3), turned(HOURGLASS, 90)),
    (9, (2, 4), polygon(3, 2.25)),
    (4, (6, 3, 1, 3), turned(BAR, 90)),
    (1, (12, 3, 3, 3), SLANTED),
    (5, (7, 3), polygon(5, 1, inner=0.45)),
    (0, (2, 4), polygon(5, 0.5)),
    (8, (7, 3), turned(CHEVRON, 90)),
    (3, (), turned(CHEVRON, 180)),
    (7, (12, 3, 3, 3), polygon(7, inner=0.5)),
    (4, (), turned(SLANTED, 90)),
    (6, (12, 3, 3, 3), turned(BAR, 45)),
    (2, (7, 3), turned(HOURGLASS, 45)),
    (10, (2, 4), turned(CHEVRON, 270)),
    (11, (12, 3, 3, 3), turned(HOURGLASS, 135)),
    (5, (2, 4), turned(BAR, 135)),
    (9, (7, 3), SLANTED_BACK),
    (0, (12, 3, 3, 3), polygon(3, 3, inner=0.45)),
    (1, (2, 4), polygon(7, inner=0.75)),
)
FURTHER = tuple(Style(STYLES[place].light, STYLES[place].dark, dash, marker) for place, dash, marker in AGAIN)

REPLAY = Style("#6d7c74", "#939b98", (2, 2), polygon(24))
# what a visitor has drawn or stepped by hand; told from every racer's colour
OWN = Style("#1e0aaa", "#a121b8", (12, 3, 2, 3, 2, 3), polygon(4, 0.5, inner=0.35))


def swatch(style: Style, theme: str, height: int = 14) -> str:
    """A racer's line and marker as a small picture, for labels and tables (an SVG data address), 28 wide."""
    points = " ".join(f"{14 + 5.5 * x:.1f},{7 + 5.5 * y:.1f}" for x, y in style.marker)
    dash = f' stroke-dasharray="{" ".join(map(str, style.dash))}"' if style.dash else ""
    color = style.color(theme)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="28" height="{height}"'
        f' viewBox="0 {7 - height // 2} 28 {height}">'
        f'<path d="M0 7H28" stroke="{color}" stroke-width="2.4"{dash}/>'
        f'<polygon points="{points}" fill="{color}"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@dataclass(frozen=True)
class Colors:
    """The colours of a still figure."""

    ink: str  # text
    faint: str  # grid and frame
    line: str  # iso-lines
    goal: str  # the minimum
    scale: tuple[str, ...]  # from the lowest loss to the highest, in even steps of lightness
    elsewhere: str  # on a map of basins: a start that reaches no minimum

    def by_variable(self) -> dict[str, str]:
        """Each colour by the name of its CSS variable."""
        named = {**vars(self), **{f"scale-{i}": color for i, color in enumerate(self.scale)}}
        return {f"--figure-{name}": color for name, color in named.items() if name != "scale"}


# The scales are even in OKLCH: light from L 0.585 to 0.985, blue-teal to white; dark from 0.13 to 0.54, ink to slate.
# Ends and hues are those at which every racer, also as colour-blind people see it, is farthest from every tone.
COLORS: Mapping[str, Colors] = {
    "light": Colors(
        ink="#33424f",
        faint="#d3dce4",
        line="#3d6b80",
        goal="#0b1016",
        scale=("#3487a1", "#5295ae", "#6ca2bb", "#85b0c7", "#9cbfd3", "#b3cdde", "#cadce9", "#e1ebf4", "#f7fbfe"),
        elsewhere="#dfe5ea",
    ),
    "dark": Colors(
        ink="#b9c6d2",
        faint="#2c3945",
        line="#8193a8",
        goal="#ffffff",
        scale=("#03080e", "#09131c", "#121e2c", "#1e2b3b", "#2a374b", "#38445a", "#47526a", "#565f78", "#666e87"),
        elsewhere="#222c36",
    ),
}
# for a figure of the stage
VARIABLES = Colors(
    **{name: f"var(--figure-{name})" for name in ("ink", "faint", "line", "goal", "elsewhere")},
    scale=tuple(f"var(--figure-scale-{i})" for i in range(len(COLORS["light"].scale))),
)


def css_variables(selector: str) -> str:
    """The CSS that gives every colour's variable its value in the theme that the page has.

    A browser that cannot choose by theme, from before 2024, gets the colours of the light one.
    """
    both = {name: (light, COLORS["dark"].by_variable()[name]) for name, light in COLORS["light"].by_variable().items()}
    both |= {style.variable[4:-1]: (style.light, style.dark) for style in (*STYLES, REPLAY, OWN)}
    plain = "".join(f"{name}: {light}; " for name, (light, _) in both.items())
    by_theme = "".join(f"{name}: light-dark({light}, {dark}); " for name, (light, dark) in both.items())
    return f"{selector} {{ {plain}}}\n@supports (color: light-dark(red, red)) {{ {selector} {{ {by_theme}}} }}\n"
