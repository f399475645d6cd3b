"""Parts of flowers: blades, stems, leaves, pads, stamens, seed discs.

Each function returns facets (corners, colours), or a list of them, in units of a flower radius.
"""

from functools import lru_cache

import numpy as np

from flowers.synthetic.facets import Petal, make_curve, make_dots, make_facets, make_tube

WHITE = (0.96, 0.95, 0.93)
CREAM = (0.95, 0.88, 0.66)
YELLOW = (0.97, 0.80, 0.14)
ORANGE = (0.95, 0.48, 0.10)
RED = (0.78, 0.09, 0.11)
PINK = (0.94, 0.58, 0.70)
MAGENTA = (0.78, 0.18, 0.48)
PURPLE = (0.50, 0.27, 0.66)
MAROON = (0.36, 0.06, 0.08)
GREEN = (0.36, 0.55, 0.20)
DARK_GREEN = (0.13, 0.32, 0.12)
RUST = (0.50, 0.20, 0.06)
BROWN = (0.22, 0.12, 0.06)
SEEDS = 260  # in a sunflower disc; real heads hold 1000 and more


def make_blade(lattice, base, tip, rng, streaks=0.05, edge=0.0):
    """Make a petal or leaf that shades from colour `base` to `tip`, with veins along it.

    Parameters
    ----------
    lattice : ndarray, shape (along, across, 3)
    base, tip : array_like, shape (3,)
        Colours at the two ends.
    rng : numpy.random.Generator
    streaks : float, default 0.05
        Standard deviation of the brightness of veins.
    edge : float, default 0
        Gain in brightness from the midrib to the edge.
    """
    along = lattice.shape[0] - 1
    across = lattice.shape[1] - 1
    u, throat, squares, midrib = _compute_shading(along, across)
    rgb = np.asarray(base) * (1 - u) + np.asarray(tip) * u
    veins = 1 + rng.normal(0, streaks, (across, 1)) - midrib
    return make_facets(lattice, rgb * veins * throat * (1 + edge * squares) * rng.normal(1, 0.05))


@lru_cache
def _compute_shading(along, across):
    """Arrays for `make_blade` by lattice size: places, light, squared places, midrib shade."""
    u = np.linspace(0, 1, along)[:, None, None]
    v = np.abs(np.linspace(-1, 1, across))[:, None]
    throat = 0.58 + 0.42 * np.minimum(1, 2.0 * u + 0.1)  # less light reaches the base
    return u, throat, v**2, 0.10 * (v < 1.5 / across)


def make_stem(rng, root=(0.0, 0.0, -0.2), thick=0.05):
    """Make a green stalk of radius `thick` from `root` to beyond the lower edge of the picture."""
    root = np.asarray(root)
    foot = root + [rng.normal(0, 0.5), -4.5, -0.6]
    path = make_curve(root, root + [rng.normal(0, 0.25), -1.6, -0.4], foot, points=16)
    return make_facets(make_tube(path, np.full(16, thick)), np.array(GREEN) * rng.uniform(0.6, 1.1))


def make_strap(rng, height, length, half_width):
    """Make a long narrow leaf that leaves the stem `height` above the head (negative: below)."""
    side = rng.choice([-1, 1])
    foot = np.array([0.0, height, -0.6])
    tip = foot + [side * length * rng.uniform(0.4, 0.9), length * rng.uniform(0.2, 0.9), -0.1]
    path = make_curve(foot, foot + [side * 0.15 * length, 0.6 * length, 0.2], tip, points=18)
    green = np.array(DARK_GREEN) + rng.uniform(0, 0.12, 3)
    outline = half_width * np.sin(np.linspace(0.5, np.pi, 18)) ** 0.8
    return make_blade(make_tube(path, outline, 10), green, green * 1.6, rng, 0.08)


def make_heart_leaf(rng, side):
    """Make a broad heart-shaped leaf low on the stem, to the left (side -1) or right (side 1)."""
    lattice = Petal(
        length=rng.uniform(0.8, 1.1),
        half_width=0.45,
        azimuth=-np.pi / 2 + side * rng.uniform(0.6, 1.4),
        rise=0.2,
        curl=-0.6,
        shape=(0.32, 0.95),
        cup=0.2,
        ruffle=0.1,
        lattice=(14, 13),
    ).compute_points()
    green = np.array(GREEN) * rng.uniform(0.6, 1.1)
    return make_blade(lattice + [0, rng.uniform(-1.5, -0.8), -0.7], green * 1.2, green, rng, 0.08)


def make_floating_pad(rng, turn, layer):
    """Make a round notched leaf on the water; a higher `layer` (0, 1, ...) lies further back."""
    angle = np.linspace(0.12, 2 * np.pi - 0.12, 37) + rng.uniform(0, 6)
    radius = np.linspace(0, 1, 7)[:, None] ** 0.7 * rng.uniform(0.6, 1.3)
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius * angle], -1)
    centre = [rng.normal(0, 1.5), rng.normal(-0.5, 1.2), -0.4]
    green = np.array(GREEN if rng.random() < 0.6 else DARK_GREEN) * rng.uniform(0.7, 1.2)
    veins = 1 + 0.14 * (np.arange(36) % 4 == 0)[:, None] + rng.normal(0, 0.03, (36, 1))
    rings = np.array([1.15, 1.06, 1.0, 0.97, 0.95, 1.1])[:, None, None]
    # Overlapping pads share a plane: without a step back their facets would mix.
    return make_facets((flat + centre) @ turn.T - [0, 0, 0.25 * layer], green * veins * rings)


def make_seed_pod(rng, turn):
    """Make the yellow pod in the middle of a lotus, and the stamens around it."""
    angle = np.linspace(0, 2 * np.pi, 21)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    profile = [(0.14, 0.0), (0.27, 0.42), (0.22, 0.45), (0.0, 0.45)]
    pod = np.array([radius * ring + [0, 0, height] for radius, height in profile])
    gold = np.array(YELLOW) * rng.uniform(0.8, 1.05)
    seeds = rng.normal(0, 0.09, (10, 3)) * [1, 1, 0] + [0, 0, 0.48]
    around = rng.uniform(0, 2 * np.pi, 90)
    reach = rng.uniform(0.28, 0.48, 90)
    height = rng.uniform(0.2, 0.45, 90)
    tips = np.stack([reach * np.cos(around), reach * np.sin(around), height], -1)
    return [
        make_facets(pod @ turn.T, gold),
        make_dots(seeds @ turn.T, 0.022, gold * 0.5),
        make_dots(tips @ turn.T, 0.03, np.array(YELLOW) * rng.uniform(0.75, 1.1, (90, 1))),
    ]


def make_stamens(rng, turn, spin, pale):
    """Make the six long stamens of a lily with rust-brown anthers, and the green style."""
    parts = []
    swell = 0.045 * np.sin(np.linspace(0.3, 2.8, 12))
    for angle in spin + 0.5 + np.arange(6) * np.pi / 3:
        out = np.array([np.cos(angle), np.sin(angle), 0])
        tip = out * rng.uniform(0.38, 0.5) + [0, 0, rng.uniform(0.8, 1.0)]
        path = make_curve([0, 0, 0], [0, 0, 0.6], tip) @ turn.T
        parts.append(make_facets(make_tube(path, np.full(12, 0.018), 4), pale))
        reach = 0.11 * (turn @ [-out[1], out[0], 0.3])
        anther = make_curve(path[-1] - reach, path[-1] + [0, 0, 0.05], path[-1] + reach)
        parts.append(make_facets(make_tube(anther, swell), np.array(RUST) * rng.uniform(0.8, 1.3)))
    style = make_curve([0, 0, 0], [0, 0, 0.6], [0.08, 0, 1.1]) @ turn.T
    return [
        *parts,
        make_facets(make_tube(style, np.linspace(0.02, 0.045, 12)), np.array(GREEN) * 1.3),
    ]


def make_seed_disc(rng, turn, radius):
    """Make seeds at the golden angle on a low dome (Vogel 1979, Math. Biosciences 44:179)."""
    number = np.arange(1, SEEDS + 1)
    angle = number * np.pi * (3 - np.sqrt(5))
    share = np.sqrt(number / SEEDS)
    dome = 0.06 + 0.2 * radius * (1 - share**2)
    places = np.stack([radius * share * np.cos(angle), radius * share * np.sin(angle), dome], -1)
    dark = np.array(BROWN)
    florets = np.array((RUST, YELLOW, BROWN, GREEN)[rng.integers(4)])
    blend = np.abs(np.sin(rng.uniform(2, 4) * share**2))[:, None] ** 3
    rgb = (dark + (0.8 * florets - dark) * blend) * rng.normal(1, 0.18, (SEEDS, 1))
    turning = np.linspace(0, 2 * np.pi, 33)
    rim = np.stack([np.cos(turning), np.sin(turning), 0 * turning], -1) * 1.06 * radius
    ground = np.stack([0 * rim, rim]) + [0, 0, 0.01]
    size = 1.9 * radius / np.sqrt(SEEDS)
    return [
        make_facets(ground @ turn.T, dark * 0.6),
        make_dots(places @ turn.T + [0, 0, 0.03], size, rgb),
    ]
