"""The five species: number, form and arrangement of their petals."""

import numpy as np

from flowers.synthetic.facets import (
    Petal,
    make_curve,
    make_dots,
    make_facets,
    make_rotation,
    make_tube,
)
from flowers.synthetic.parts import (
    CREAM,
    GREEN,
    MAGENTA,
    MAROON,
    ORANGE,
    PINK,
    PURPLE,
    RED,
    WHITE,
    YELLOW,
    make_blade,
    make_floating_pad,
    make_heart_leaf,
    make_seed_disc,
    make_seed_pod,
    make_stamens,
    make_stem,
    make_strap,
)

# Equally likely. Species share colours, so that colour alone does not identify a flower.
COLOURS = {
    "Lilly": (WHITE, WHITE, PINK, PINK, ORANGE, ORANGE, YELLOW, RED, MAGENTA),
    "Lotus": (WHITE, WHITE, PINK, PINK, PINK, CREAM, MAGENTA, PURPLE),
    "Orchid": (WHITE, WHITE, PINK, MAGENTA, PURPLE, PURPLE, YELLOW, CREAM),
    "Sunflower": (YELLOW, YELLOW, YELLOW, YELLOW, ORANGE, ORANGE, CREAM, RED),
    "Tulip": (RED, RED, YELLOW, PINK, PINK, PURPLE, WHITE, ORANGE, MAGENTA),
}
LIP_HEIGHT = 0.2
# Azimuths (0 is to the right), length, half width, rise, curl, outline, height, lattice.
ORCHID = (
    ((1.57, 3.77, -0.63), 0.95, 0.31, 0.25, -0.45, (0.6, 0.6), 0.0, (14, 11)),  # sepals
    ((2.92, 0.22), 1.0, 0.58, 0.25, -0.5, (0.5, 0.42), 0.16, (15, 15)),  # petals
    ((-1.57,), 0.55, 0.22, 1.0, -1.2, (0.8, 0.4), LIP_HEIGHT, (10, 9)),  # middle of the lip
    ((0.1, 3.0), 0.32, 0.14, 1.2, -1.2, (0.8, 0.4), LIP_HEIGHT, (9, 7)),  # sides of the lip
)


def make_flower(species, rng):
    """Make one flower with its stem and leaves, turned to the viewer at a random angle.

    Parameters
    ----------
    species : str
        A key of `COLOURS`.
    rng : numpy.random.Generator

    Returns
    -------
    list of (corners, colours)
        For `flowers.synthetic.facets.paint_facets`; the head is near the origin, radius about 1.
    """
    colour = np.array(COLOURS[species][rng.integers(len(COLOURS[species]))])
    colour = (colour * rng.normal(1, 0.06, 3)).clip(0.02, 1)
    return _BLOOMS[species](colour, rng)


def _choose_colour(rng, *colours):
    return np.array(colours[rng.integers(len(colours))])


def _make_lilly(colour, rng):
    turn = make_rotation(rng.uniform(0.15, 1.05), rng.normal(0, 0.4))
    spin = rng.uniform(0, 2)
    throat = _choose_colour(rng, YELLOW, CREAM, GREEN, WHITE)
    rise = rng.uniform(0.75, 1.05)
    curl = -rng.uniform(1.2, 2.1)
    tip = 0.5 * colour + 0.5 * np.array(WHITE) if rng.random() < 0.4 else colour
    freckles = 18 if rng.random() < 0.75 else 0
    parts = [make_stem(rng)]
    for k in range(6):
        lattice = Petal(
            length=rng.normal(1.25, 0.05),
            half_width=0.24 if k % 2 else 0.31,
            azimuth=spin + k * np.pi / 3,
            rise=rise - 0.1 * (k % 2),
            curl=curl + rng.normal(0, 0.12),
            shape=(0.75, 0.85),
            cup=0.35,
            ruffle=0.16,
            start=0.04,
            lattice=(20, 12),
        ).compute_points()
        lattice = lattice @ turn.T
        parts.append(make_blade(lattice, 0.5 * throat + 0.5 * colour, tip, rng, 0.06))
        along = rng.integers(3, 14, freckles)
        across = rng.integers(2, 10, freckles)
        size = rng.uniform(0.010, 0.024, freckles)
        parts.append(make_dots(lattice[along, across] + [0, 0, 0.04], size, colour * 0.35))
    parts += make_stamens(rng, turn, spin, 0.6 * np.array(WHITE) + 0.4 * colour)
    leaves = rng.integers(0, 6)
    return parts + [make_strap(rng, rng.uniform(-2.4, -0.7), 1.1, 0.11) for _ in range(leaves)]


def _make_lotus(colour, rng):
    turn = make_rotation(rng.uniform(0.6, 1.25), rng.normal(0, 0.08))
    pale = 0.35 * colour + 0.65 * np.array(WHITE)
    openness = rng.uniform(-0.15, 0.4)
    parts = make_seed_pod(rng, turn)
    for ring, count in enumerate((9, 8, 7, 5)):
        for k in range(count):
            lattice = Petal(
                length=rng.normal(1.15, 0.06) - 0.1 * ring,
                half_width=0.30 - 0.015 * ring,
                azimuth=2 * np.pi * (k + 0.5 * ring) / count + rng.normal(0, 0.08),
                rise=0.05 + 0.3 * ring - 0.5 * openness + rng.normal(0, 0.06),
                curl=0.75 - openness,
                shape=(0.65, 0.62),
                cup=0.55,
                start=0.08,
                lattice=(12, 9),
            ).compute_points()
            parts.append(make_blade(lattice @ turn.T, pale, colour, rng, 0.025, 0.06))
    return parts + [make_floating_pad(rng, turn, layer) for layer in range(rng.integers(2, 6))]


def _make_orchid(colour, rng):
    side = rng.choice([-1, 1])
    lip = _choose_colour(rng, MAGENTA, PURPLE, YELLOW, MAROON, RED)
    blush = 0.5 * colour + 0.5 * _choose_colour(rng, WHITE, MAGENTA, YELLOW)
    step = np.array([side * rng.uniform(0.9, 1.5), -rng.uniform(0.2, 1.2), -0.25])
    start = [0, 0.5, -0.4] - 0.8 * step
    spike = make_curve(start, [side * 0.8, 0.8, -0.5], [side * 2.6, -4.5, -0.9])
    parts = [make_facets(make_tube(spike, np.full(12, 0.045)), np.array(GREEN) * 0.7)]
    bud = make_curve(start, start + [0, -0.1, 0], start - [0.3 * side, 0.25, 0])
    swell = 0.15 * np.sin(np.linspace(0.2, 3, 12)) ** 0.7
    parts.append(make_facets(make_tube(bud, swell), 0.5 * colour + 0.2))
    for k in range(rng.integers(1, 4)):
        head = _make_orchid_head(colour, blush, lip, rng)
        parts += [((1 - 0.08 * k) * corners + k * step, rgb) for corners, rgb in head]
    return parts


def _make_orchid_head(colour, blush, lip, rng):
    """Three sepals at the back, two broad petals, and in front the lip and the column."""
    sideways = make_rotation(rng.normal(0, 0.35), np.pi / 2) @ make_rotation(0, -np.pi / 2)
    turn = sideways @ make_rotation(rng.normal(0, 0.25), rng.normal(0, 0.2))
    parts = []
    for azimuths, length, half_width, rise, curl, shape, height, lattice in ORCHID:
        base, tip = (blush, colour) if height < LIP_HEIGHT else (0.6 * lip + 0.35, lip)
        for azimuth in azimuths:
            form = Petal(
                length, half_width, azimuth, rise, curl, shape, 0.12, 0.03, 0.05, lattice
            ).compute_points() + [0, 0, height]
            parts.append(make_blade(form @ turn.T, base, tip, rng, 0.025, 0.06))
    column = make_curve([0, 0.1, 0.2], [0, 0.1, 0.45], [0, -0.02, 0.55]) @ turn.T
    return [
        *parts,
        make_facets(make_tube(column, np.linspace(0.05, 0.085, 12)), 0.7 * colour + 0.3),
    ]


def _make_sunflower(colour, rng):
    turn = make_rotation(rng.normal(0.2, 0.3), rng.normal(0, 0.3))
    disc = rng.uniform(0.34, 0.52)
    count = rng.integers(10, 17)
    parts = [make_stem(rng, thick=0.09), *make_seed_disc(rng, turn, disc)]
    for ring in range(2):
        for k in range(count):
            lattice = Petal(
                length=rng.normal(0.68, 0.05),
                half_width=0.12,
                azimuth=2 * np.pi * (k + 0.5 * ring) / count + rng.normal(0, 0.05),
                rise=0.3 - 0.25 * ring + rng.normal(0, 0.08),
                curl=rng.normal(-0.35, 0.25),
                shape=(0.55, 0.75),
                cup=0.3,
                start=0.85 * disc,
                lattice=(12, 7),
            ).compute_points()
            parts.append(
                make_blade(lattice @ turn.T, colour * [0.95, 0.72, 0.5], colour, rng, 0.06)
            )
    return parts + [make_heart_leaf(rng, side) for side in (-1, 1) if rng.random() < 0.6]


def _make_tulip(colour, rng):
    turn = make_rotation(rng.uniform(1.15, 1.6), rng.normal(0, 0.18))
    spin = rng.uniform(0, 2)
    openness = rng.uniform(-0.1, 0.35)
    fringe = _choose_colour(rng, YELLOW, WHITE, RED) if rng.random() < 0.3 else colour
    tip = 0.4 * fringe + 0.6 * colour
    base = 0.8 * colour + 0.2 * np.array(CREAM)
    shift = turn @ [0, 0, -0.75]  # moves the middle of the cup to the origin
    parts = [make_stem(rng, shift - [0, 0, 0.3], 0.065)]
    for k in range(6):
        inner = k % 2
        lattice = Petal(
            length=rng.normal(1.75, 0.05) - 0.03 * inner,
            half_width=0.60 - 0.06 * inner,
            azimuth=spin + k * np.pi / 3 + rng.normal(0, 0.05),
            rise=0.50 + 0.16 * inner,
            curl=1.6 - 0.12 * inner - openness,
            shape=(0.55, 0.5),
            cup=0.46,
            ruffle=0.02,
            lattice=(17, 15),
        ).compute_points()
        shade = 1 - 0.14 * inner
        parts.append(
            make_blade(lattice @ turn.T + shift, shade * base, shade * tip, rng, 0.035, 0.1)
        )
    leaves = rng.integers(1, 4)
    heights = rng.uniform(-4.0, -2.4, leaves)
    lengths = rng.uniform(1.8, 3.2, leaves)
    return parts + [make_strap(rng, h, n, 0.26) for h, n in zip(heights, lengths, strict=True)]


_BLOOMS = {
    "Lilly": _make_lilly,
    "Lotus": _make_lotus,
    "Orchid": _make_orchid,
    "Sunflower": _make_sunflower,
    "Tulip": _make_tulip,
}
