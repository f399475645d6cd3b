"""The five species: number, form and arrangement of their petals."""

import numpy as np

from flowers.synthetic.facets import Petals, make_dots, make_rotation

WHITE = (0.96, 0.95, 0.93)
CREAM = (0.95, 0.88, 0.66)
YELLOW = (0.97, 0.80, 0.14)
ORANGE = (0.95, 0.48, 0.10)
RED = (0.78, 0.09, 0.11)
PINK = (0.94, 0.58, 0.70)
MAGENTA = (0.78, 0.18, 0.48)
PURPLE = (0.50, 0.27, 0.66)
GREEN = (0.36, 0.55, 0.20)
RUST = (0.50, 0.20, 0.06)
BROWN = (0.22, 0.12, 0.06)
PALETTE = (WHITE, CREAM, YELLOW, ORANGE, RED, PINK, MAGENTA, PURPLE)
# Colours that a species has more often than the rest of the palette.
COLOURS = {
    "Lilly": (WHITE, PINK, ORANGE),
    "Lotus": (WHITE, PINK, PINK),
    "Orchid": (WHITE, MAGENTA, PURPLE),
    "Sunflower": (YELLOW, YELLOW, ORANGE),
    "Tulip": (RED, RED, YELLOW, PINK, PURPLE),
}
TYPICAL = 0.65  # share of flowers with such a colour
SEEDS = 110  # in a sunflower disc; real heads hold 1000 and more
FLAT = np.eye(3)


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
    colours = COLOURS[species] if rng.random() < TYPICAL else PALETTE
    colour = _choose(rng, colours) * rng.normal(1, 0.08, 3)
    return _FORMS[species](colour.clip(0.02, 1), rng) + _make_leaves(rng)


def _choose(rng, colours):
    return np.array(colours[rng.integers(len(colours))])


def _spread(count, rng, noise=0.05, shift=0.0):
    """Directions around a full turn, from `shift` steps on."""
    return 2 * np.pi * (np.arange(count) + shift) / count + rng.normal(0, noise, count)


def _make_stem(rng, root, half_width):
    """Make a stalk from `root` to beyond the lower edge of the picture."""
    stalk = Petals(
        [rng.normal(-np.pi / 2, 0.25)], 6, half_width, -0.1, 0, (0.02, 0.02), -1, lattice=(4, 4)
    )
    green = np.array(GREEN) * rng.uniform(0.6, 1.1)
    return stalk.make_facets(FLAT, root, green, green, rng, 0)


def _make_leaves(rng):
    """Make leaves of any plant: narrow or broad, upright or hanging."""
    count = rng.integers(0, 4)
    upright = rng.random() < 0.5
    leaves = Petals(
        azimuth=np.pi * (0.5 if upright else -0.5) + rng.normal(0, 0.7, count),
        length=rng.uniform(1.0, 2.6),
        half_width=rng.uniform(0.1, 0.5),
        rise=rng.normal(0.2, 0.2, count),
        curl=-0.5,
        shape=(rng.uniform(0.3, 0.8), rng.uniform(0.6, 1.0)),
        ruffle=0.1,
        lattice=(9, 5),
    )
    green = np.array(GREEN) * rng.uniform(0.4, 1.1) + rng.uniform(0, 0.1, 3)
    origin = [0, rng.uniform(-2.6, -1.6) if upright else rng.uniform(-1.5, -0.6), -0.7]
    return [leaves.make_facets(FLAT, origin, green, 1.3 * green, rng, 0.08)] if count else []


def _make_lilly(colour, rng):
    turn = make_rotation(rng.uniform(0.1, 1.3), rng.normal(0, 0.5))
    throat = _choose(rng, (YELLOW, CREAM, GREEN, WHITE))
    tip = 0.5 * colour + 0.5 * np.array(WHITE) if rng.random() < 0.4 else colour
    bend = rng.uniform(0.4, 2.1)  # of the petals: from a trumpet to a turban
    rise = rng.uniform(0.75, 1.05) + 0.15 * (2 - bend)
    parts = [_make_stem(rng, [0, 0, -0.2], 0.05)]
    azimuth = _spread(3, rng, 0.04, rng.uniform(0, 1))
    for k in range(2):
        petals = Petals(
            azimuth + k * np.pi / 3,
            length=rng.normal(1.25, 0.05),
            half_width=0.31 - 0.07 * k,
            rise=rise - 0.1 * k,
            curl=rng.normal(-bend, 0.1, 3),
            shape=(0.75, 0.85),
            ruffle=0.16,
            start=0.04,
            lattice=(11, 7),
        )
        parts.append(petals.make_facets(turn, 0, 0.5 * throat + 0.5 * colour, tip, rng))
        if rng.random() < 0.5:
            points = petals.compute_points()[:, 2:8, 1:-1].reshape(-1, 3)
            points = points[rng.integers(0, len(points), 24)] + rng.normal(0, 0.03, (24, 3))
            parts.append(make_dots(points @ turn.T + [0, 0, 0.05], 0.02, colour * 0.35))
    pale = 0.6 * np.array(WHITE) + 0.4 * colour
    stamens = Petals(_spread(6, rng), 1.0, 0.025, 1.4, -0.5, (0.02, 0.02), -1, lattice=(5, 2))
    anthers = stamens.compute_points()[:, -1].mean(axis=1)
    parts.append(stamens.make_facets(turn, 0, pale, pale, rng))
    parts.append(make_dots(anthers @ turn.T, np.array([0.12, 0.06, 0]), np.array(RUST)))
    return parts


def _make_lotus(colour, rng):
    turn = make_rotation(rng.uniform(0.3, 1.4), rng.normal(0, 0.15))
    pale = 0.35 * colour + 0.65 * np.array(WHITE)
    openness = rng.uniform(-0.45, 0.45)
    gold = np.array(YELLOW) * rng.uniform(0.8, 1.05)
    parts = [_make_stem(rng, [0, 0, -0.5], 0.06)]
    for ring, count in enumerate((8, 7, 6, 5)):
        petals = Petals(
            _spread(count, rng, 0.08, 0.5 * ring),
            length=rng.normal(1.15, 0.05) - 0.1 * ring,
            half_width=0.31 - 0.015 * ring,
            rise=0.05 + 0.3 * ring - 0.5 * openness + rng.normal(0, 0.06, count),
            curl=0.75 - openness,
            shape=(0.65, 0.62),
            cup=0.55,
            start=0.08,
        )
        parts.append(petals.make_facets(turn, 0, pale, colour, rng, 0.03))
    pod = Petals([0], 0.46, 0.23, 0, start=-0.23)
    parts.append(pod.make_facets(turn, turn @ [0, 0, 0.42], gold, gold, rng))
    reach = rng.uniform(0.25, 0.45, 50)
    angle = rng.uniform(0, 2 * np.pi, 50)
    tips = np.stack([reach * np.cos(angle), reach * np.sin(angle), 0.2 + 0.5 * reach], axis=-1)
    parts.append(make_dots(tips @ turn.T, 0.035, gold * rng.uniform(0.75, 1.1, (50, 1))))
    for layer in range(rng.integers(0, 3)):
        size = rng.uniform(1.2, 2.4)
        pad = Petals([rng.uniform(0, 6)], size, size / 2, 0, lattice=(9, 7), cup=0)
        green = np.array(GREEN) * rng.uniform(0.5, 1.2)
        place = turn @ [rng.normal(0, 1.2), rng.normal(-0.8, 0.8), -0.5] - [0, 0, 0.25 * layer]
        parts.append(pad.make_facets(turn, place, green, green, rng, 0.1))
    return parts


def _make_orchid(colour, rng):
    lip = _choose(rng, PALETTE)
    blush = 0.5 * colour + 0.5 * _choose(rng, (WHITE, MAGENTA, YELLOW))
    sideways = make_rotation(rng.normal(0, 0.5), np.pi / 2) @ make_rotation(0, -np.pi / 2)
    turn = sideways @ make_rotation(rng.normal(0, 0.4), rng.normal(0, 0.3))
    step = np.array([rng.choice([-1, 1]) * rng.uniform(0.8, 1.5), rng.uniform(-1.2, -0.2), -0.3])
    swing = rng.uniform(-0.35, 0.15)
    # Azimuths (0 is to the right), length, half width, rise, curl, outline, height, colours.
    rings = (
        ([1.57, 3.77, -0.63], 0.95, 0.31, 0.25, -0.45, (0.6, 0.6), 0.0, blush, colour),
        ([2.92, 0.22], 1.0, 0.58, 0.25 + swing, -0.5, (0.5, 0.42), 0.16, blush, colour),
        ([-1.57], 0.55, 0.22, 1.0, -1.2, (0.8, 0.4), 0.2, 0.6 * lip + 0.35, lip),
        ([0.1, 3.0], 0.32, 0.14, 1.2, -1.2, (0.8, 0.4), 0.2, 0.6 * lip + 0.35, lip),
    )
    head = [
        Petals(*form, 0.12, 0.03, 0.05, (9, 7)).make_facets(
            turn, turn @ [0, 0, height], base, tip, rng, 0.03
        )
        for *form, height, base, tip in rings
    ]
    head.append(make_dots(turn @ [0, 0, 0.5] * np.ones((1, 3)), 0.1, 0.7 * colour + 0.3))
    parts = [_make_stem(rng, [0, 0.9, -0.5], 0.045)]
    for k in range(rng.integers(1, 4)):
        parts += [((1 - 0.08 * k) * corners + k * step, rgb) for corners, rgb in head]
    return parts


def _make_sunflower(colour, rng):
    turn = make_rotation(rng.normal(0.3, 0.45), rng.normal(0, 0.4))
    disc = rng.uniform(0.25, 0.55)
    count = rng.integers(9, 17)
    florets = _choose(rng, (RUST, YELLOW, BROWN, GREEN))
    dark = np.array(BROWN)
    ground = Petals([0], 2.1 * disc, 1.05 * disc, 0, start=-1.05 * disc, cup=0)
    parts = [_make_stem(rng, [0, 0, -0.2], 0.08)]
    parts.append(ground.make_facets(turn, 0, 0.6 * dark, 0.6 * dark, rng))
    number = np.arange(1, SEEDS + 1)
    share = np.sqrt(number / SEEDS)
    angle = number * np.pi * (3 - np.sqrt(5))  # Vogel 1979, Math. Biosciences 44:179
    dome = 0.1 + 0.2 * disc * (1 - share**2)
    seeds = np.stack([disc * share * np.cos(angle), disc * share * np.sin(angle), dome], axis=-1)
    blend = np.abs(np.sin(rng.uniform(2, 4) * share**2))[:, None] ** 3
    rgb = (dark + (0.8 * florets - dark) * blend) * rng.normal(1, 0.18, (SEEDS, 1))
    parts.append(make_dots(seeds @ turn.T, 1.9 * disc / np.sqrt(SEEDS), rgb))
    rise = rng.normal(0.3, 0.25)
    for ring in range(2):
        petals = Petals(
            _spread(count, rng, 0.06, 0.5 * ring),
            length=rng.normal(0.68, 0.05),
            half_width=rng.uniform(0.1, 0.17),
            rise=rise - 0.25 * ring + rng.normal(0, 0.08, count),
            curl=rng.normal(-0.35, 0.25, count),
            shape=(0.55, 0.75),
            start=0.85 * disc,
            lattice=(6, 4),
        )
        parts.append(petals.make_facets(turn, 0, colour * [0.95, 0.72, 0.5], colour, rng))
    return parts


def _make_tulip(colour, rng):
    turn = make_rotation(rng.uniform(0.5, 1.6), rng.normal(0, 0.25))
    openness = rng.uniform(-0.1, 0.6)
    fringe = _choose(rng, (YELLOW, WHITE, RED)) if rng.random() < 0.3 else colour
    tip = 0.4 * fringe + 0.6 * colour
    base = 0.8 * colour + 0.2 * np.array(CREAM)
    shift = turn @ [0, 0, -0.75]  # moves the middle of the cup to the origin
    parts = [_make_stem(rng, shift - [0, 0, 0.3], 0.065)]
    azimuth = _spread(3, rng, 0.05, rng.uniform(0, 1))
    for k in range(2):
        petals = Petals(
            azimuth + k * np.pi / 3,
            length=rng.normal(1.75, 0.05),
            half_width=0.60 - 0.06 * k,
            rise=0.50 + 0.16 * k + rng.normal(0, 0.05, 3),
            curl=1.6 - 0.12 * k - openness,
            shape=(0.55, 0.5),
            cup=0.46,
            ruffle=0.02,
            lattice=(12, 9),
        )
        shade = 1 - 0.14 * k
        parts.append(petals.make_facets(turn, shift, shade * base, shade * tip, rng, 0.035))
    return parts


_FORMS = {
    "Lilly": _make_lilly,
    "Lotus": _make_lotus,
    "Orchid": _make_orchid,
    "Sunflower": _make_sunflower,
    "Tulip": _make_tulip,
}
