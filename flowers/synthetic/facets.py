"""Petals, leaves and seeds as small shaded quadrilaterals in space, painted back to front.

Axes: x right, y up, z towards the viewer; a flower is about one unit in radius. A part is a pair
of corners, shape (count, 4, 3), and colours, shape (count, 3), red, green and blue in [0, 1].
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import ImageDraw

AMBIENT = 0.55  # share of light that reaches a facet turned away from the lamp
PERSPECTIVE = 0.12  # growth in size per unit towards the viewer
DEPTH = 0.22  # gain in light per unit towards the viewer: little light reaches between petals
DIAMOND = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], float)


@lru_cache
def _make_lattice(along, across):
    """Places along a petal (denser near the tip) and across it, and the light on its facets."""
    u = np.sin(np.linspace(0, np.pi / 2, along))
    v = np.linspace(-1, 1, across)
    step = np.linspace(0, 1, along - 1)[:, None]
    midrib = np.abs(np.linspace(-1, 1, across - 1)) < 1.5 / across
    light = (0.58 + 0.42 * np.minimum(1, 2 * step + 0.1)) * (1 - 0.1 * midrib)
    return u, v, light[..., None]


@dataclass(frozen=True)
class Petals:
    """Curved petals, or leaves or stalks, that grow out from the z axis.

    Attributes
    ----------
    azimuth : ndarray, shape (count,)
        Direction of each petal around the axis; radians.
    length, half_width : float
        Size along the midrib and from the midrib to the widest edge.
    rise, curl : float or ndarray, shape (count,)
        Elevation at the base, and change of elevation towards the tip; radians.
    shape : tuple of float
        Exponents (a, b) of the outline u**a * (1 - u)**b: a small a gives a broad base, a
        small b a round tip; (0.5, 0.5) is an ellipse.
    cup, ruffle : float
        Hollowing across the petal and waviness of its edge, in half widths.
    start : float
        Distance of the base from the axis.
    lattice : tuple of int
        Points along and across.
    """

    azimuth: np.ndarray
    length: float
    half_width: float
    rise: float | np.ndarray
    curl: float | np.ndarray = 0.0
    shape: tuple = (0.5, 0.5)
    cup: float = 0.3
    ruffle: float = 0.0
    start: float = 0.0
    lattice: tuple = (7, 5)

    def compute_points(self):
        """Compute the points of all petals, shape (count, along, across, 3), float64."""
        azimuth = np.asarray(self.azimuth, float)[:, None, None]
        u, v, _ = _make_lattice(*self.lattice)
        elevation = np.reshape(self.rise, (-1, 1)) + np.reshape(self.curl, (-1, 1)) * u
        step = self.length * np.diff(u, prepend=0.0)
        cosine = np.cos(elevation)[..., None]
        sine = np.sin(elevation)[..., None]
        radius = self.start + (cosine * step[:, None]).cumsum(axis=1)
        height = (sine * step[:, None]).cumsum(axis=1)
        a, b = self.shape
        peak = a / (a + b)
        outline = self.half_width * (u / peak) ** a * ((1 - u).clip(0) / (1 - peak)) ** b
        side = outline[:, None] * v
        hollow = outline[:, None] * self.cup * v**2
        if self.ruffle:
            wave = np.sin(9 * u[:, None] + 3 * azimuth) * np.abs(v) ** 3
            hollow = hollow + outline[:, None] * self.ruffle * wave
        out = radius - hollow * sine
        c = np.cos(azimuth)
        s = np.sin(azimuth)
        points = np.empty((len(self.azimuth), *self.lattice, 3))
        points[..., 0] = out * c - side * s
        points[..., 1] = out * s + side * c
        points[..., 2] = height + hollow * cosine
        return points

    def make_facets(self, turn, origin, base, tip, rng, veins=0.05):
        """Make the facets of all petals.

        Parameters
        ----------
        turn : ndarray, shape (3, 3)
            From `make_rotation`.
        origin : array_like, shape (3,)
            Where the axis starts, after the turn.
        base, tip : array_like, shape (3,)
            Colours at the two ends.
        rng : numpy.random.Generator
        veins : float
            Standard deviation of the brightness across a petal.

        Returns
        -------
        corners : ndarray, shape (count, 4, 3)
        colours : ndarray, shape (count, 3)
        """
        points = self.compute_points() @ turn.T + origin
        count, along, across, _ = np.subtract(points.shape, (0, 1, 1, 0))
        corners = np.empty((count, along, across, 4, 3))
        corners[..., 0, :] = points[:, :-1, :-1]
        corners[..., 1, :] = points[:, :-1, 1:]
        corners[..., 2, :] = points[:, 1:, 1:]
        corners[..., 3, :] = points[:, 1:, :-1]
        u = np.linspace(0, 1, along)[:, None, None]
        rgb = np.asarray(base) * (1 - u) + np.asarray(tip) * u
        brightness = rng.normal(1, 0.05, (count, 1, 1, 1)) * rng.normal(1, veins, (1, across, 1))
        rgb = rgb * _make_lattice(*self.lattice)[2] * brightness
        return corners.reshape(-1, 4, 3), rgb.reshape(-1, 3)


def make_rotation(tilt, roll):
    """Make a matrix that tilts the z axis up, then rotates it anticlockwise by `roll` (radians).

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Use as ``points @ matrix.T``.
    """
    c = np.cos(tilt)
    s = np.sin(tilt)
    lean = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    c = np.cos(roll)
    s = np.sin(roll)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ lean


def make_dots(centres, radius, colours):
    """Make small diamonds that face the viewer: freckles, anthers and seeds.

    Parameters
    ----------
    centres : ndarray, shape (count, 3)
    radius : float or ndarray, shape (3,)
        Half the size, in all directions or in each.
    colours : ndarray, broadcastable to (count, 3)

    Returns
    -------
    corners : ndarray, shape (count, 4, 3)
    colours : ndarray, shape (count, 3)
    """
    return centres[:, None] + radius * DIAMOND, np.broadcast_to(colours, centres.shape)


def shade_facets(corners, colours, light):
    """Shade facets under a lamp in direction `light` (unit vector): colours, shape (count, 3)."""
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.sqrt((normal**2).sum(axis=1, keepdims=True)) + 1e-9
    normal *= np.where(normal[:, 2:] < 0, -1, 1)  # petals are thin: light the visible side
    depth = corners[:, :, 2].mean(axis=1)
    facing = (1 + normal @ light) / 2
    shade = (AMBIENT + (1 - AMBIENT) * facing**1.4) * (0.97 + DEPTH * depth.clip(-1, 0.5))
    return colours * shade[:, None]


def paint_facets(picture, parts, centre, scale, light):
    """Paint facets onto `picture`, in place.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.
    parts : list of (corners, colours)
    centre : array_like of float
        Where the origin lands, pixels from the top left.
    scale : float
        Pixels per unit.
    light : ndarray, shape (3,)
        Unit vector towards the lamp.
    """
    corners = np.concatenate([corners for corners, _ in parts])
    colours = np.concatenate([colours for _, colours in parts])
    grown = scale * (1 + PERSPECTIVE * corners[:, :, 2:])
    places = np.asarray(centre) + grown * corners[:, :, :2] * [1, -1]
    visible = ((places.max(axis=1) >= 0) & (places.min(axis=1) < picture.size)).all(axis=1)
    order = np.argsort(corners[:, :, 2].mean(axis=1), kind="stable")
    order = order[visible[order]]
    places = places[order]
    shaded = shade_facets(corners[order], colours[order], light)
    inks = np.full((len(order), 4), 255, np.uint8)
    inks[:, :3] = 255 * shaded.clip(0, 1)
    pen = ImageDraw.Draw(picture)
    inks = inks.view(np.int32).ravel().tolist()
    for place, ink in zip(places.reshape(-1, 8).tolist(), inks, strict=True):
        pen.polygon(place, fill=ink)
