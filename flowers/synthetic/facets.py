"""Petals, stems and seeds as small shaded quadrilaterals in space, painted back to front.

Axes: x right, y up, z towards the viewer; a flower is about one unit in radius.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import ImageDraw

AMBIENT = 0.55  # share of light that reaches a facet turned away from the lamp
PERSPECTIVE = 0.12  # growth in size per unit towards the viewer
DEPTH = 0.22  # gain in light per unit towards the viewer: little light reaches between petals


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


@lru_cache
def _place_along(along):
    """Places along a petal, denser near the tip, where the outline bends; and their distances."""
    u = np.sin(np.linspace(0, np.pi / 2, along))
    return u, np.diff(u, prepend=0.0)


@lru_cache
def _place_across(across):
    """Places across a petal from -1 to 1, their squares, and the cubes of their sizes."""
    v = np.linspace(-1, 1, across)
    return v, v**2, np.abs(v) ** 3


@dataclass(frozen=True)
class Petal:
    """One curved petal that grows out from the z axis.

    Attributes
    ----------
    length, half_width : float
        Size along the midrib and from the midrib to the widest edge.
    azimuth, rise, curl : float
        Direction around the axis, elevation at the base, and change of elevation towards
        the tip; radians.
    shape : tuple of float
        Exponents (a, b) of the outline u**a * (1 - u)**b: a small a gives a broad base, a
        small b a round tip.
    cup, ruffle : float
        Hollowing across the petal and waviness of its edge, in half widths.
    start : float
        Distance of the base from the axis.
    lattice : tuple of int
        Points along and across.
    """

    length: float
    half_width: float
    azimuth: float
    rise: float
    curl: float
    shape: tuple
    cup: float
    ruffle: float = 0.0
    start: float = 0.0
    lattice: tuple = (12, 9)

    def compute_points(self):
        """Compute a lattice of points on the petal, shape (along, across, 3), float64."""
        along, across = self.lattice
        u, step = _place_along(along)
        v, hollowed, waved = _place_across(across)
        elevation = self.rise + self.curl * u
        step = self.length * step
        cosine = np.cos(elevation)
        sine = np.sin(elevation)
        radius = self.start + (cosine * step).cumsum()
        height = (sine * step).cumsum()
        a, b = self.shape
        peak = a / (a + b)
        outline = self.half_width * (u / peak) ** a * ((1 - u).clip(0) / (1 - peak)) ** b
        side = outline[:, None] * v
        wave = np.sin(9 * u + 3 * self.azimuth)[:, None] * waved
        hollow = outline[:, None] * (self.cup * hollowed + self.ruffle * wave)
        out = radius[:, None] - hollow * sine[:, None]
        c = np.cos(self.azimuth)
        s = np.sin(self.azimuth)
        points = np.empty((along, across, 3))
        points[..., 0] = out * c - side * s
        points[..., 1] = out * s + side * c
        points[..., 2] = height[:, None] + hollow * cosine[:, None]
        return points


def make_tube(path, half_width, across=5):
    """Make a lattice of points on the visible half of a tube, shape (len(path), across, 3).

    Parameters
    ----------
    path : ndarray, shape (n, 3)
        Middle line, already turned to the viewer.
    half_width : ndarray, shape (n,)
        Radius at each point of the path.
    across : int, default 5
        Points across the tube.
    """
    run = np.gradient(path[:, :2], axis=0)
    run /= np.hypot(run[:, :1], run[:, 1:]) + 1e-9
    v = np.linspace(-1, 1, across)
    sideways = half_width[:, None] * v
    bulge = half_width[:, None] * np.sqrt(1 - v**2)
    return path[:, None] + np.stack([-run[:, 1:] * sideways, run[:, :1] * sideways, bulge], axis=-1)


def make_curve(*knots, points=12):
    """Make points along the Bezier curve with three knots in space, shape (points, 3)."""
    first, middle, last = np.asarray(knots, float)
    t = np.linspace(0, 1, points)[:, None]
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last


def make_facets(lattice, colours):
    """Cut a lattice into four-sided facets.

    Parameters
    ----------
    lattice : ndarray, shape (along, across, 3)
    colours : ndarray, broadcastable to (along - 1, across - 1, 3)
        Red, green and blue in [0, 1].

    Returns
    -------
    corners : ndarray, shape (count, 4, 3)
    colours : ndarray, shape (count, 3)
    """
    along = lattice.shape[0] - 1
    across = lattice.shape[1] - 1
    corners = np.empty((along, across, 4, 3))
    rgb = np.empty((along, across, 3))
    around = (lattice[:-1, :-1], lattice[:-1, 1:], lattice[1:, 1:], lattice[1:, :-1])
    for k, corner in enumerate(around):
        corners[:, :, k] = corner
    rgb[...] = colours
    return corners.reshape(-1, 4, 3), rgb.reshape(-1, 3)


def make_dots(centres, radius, colours):
    """Make small diamonds that face the viewer: freckles and seeds.

    Parameters
    ----------
    centres : ndarray, shape (count, 3)
    radius : float or ndarray, shape (count,)
    colours : ndarray, broadcastable to (count, 3)

    Returns
    -------
    corners : ndarray, shape (count, 4, 3)
    colours : ndarray, shape (count, 3)
    """
    compass = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], float)
    corners = centres[:, None] + compass * np.reshape(radius, (-1, 1, 1))
    return corners, np.broadcast_to(colours, centres.shape)


def shade_facets(corners, colours, light):
    """Shade facets under a lamp in direction `light` (unit vector): colours, shape (count, 3)."""
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    normal *= np.where(normal[:, 2:] < 0, -1, 1)  # petals are thin: light the visible side
    depth = corners[:, :, 2].mean(axis=1)
    facing = (1 + normal @ light) / 2
    sheen = 0.14 * (normal @ ((light + [0, 0, 1]) / np.linalg.norm(light + [0, 0, 1]))) ** 24
    shade = (AMBIENT + (1 - AMBIENT) * facing**1.4) * (0.97 + DEPTH * depth.clip(-1, 0.5))
    return colours * shade[:, None] + sheen[:, None]


def paint_facets(picture, parts, centre, scale, light):
    """Paint facets onto `picture`, in place.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.
    parts : list of (corners, colours)
        From `make_facets` and `make_dots`.
    centre : tuple of float
        Where the origin lands, pixels from the top left.
    scale : float
        Pixels per unit.
    light : ndarray, shape (3,)
        Unit vector towards the lamp.
    """
    corners = np.concatenate([corners for corners, _ in parts])
    colours = shade_facets(corners, np.concatenate([colours for _, colours in parts]), light)
    grown = scale * (1 + PERSPECTIVE * corners[:, :, 2:])
    places = np.asarray(centre) + grown * corners[:, :, :2] * [1, -1]
    visible = ((places.max(axis=1) >= 0) & (places.min(axis=1) < picture.size)).all(axis=1)
    depth = corners[:, :, 2].mean(axis=1)
    order = np.argsort(depth, kind="stable")
    order = order[visible[order]]
    places = places[order]
    inks = np.full((len(order), 4), 255, np.uint8)
    inks[:, :3] = 255 * colours[order].clip(0, 1)
    pen = ImageDraw.Draw(picture)
    inks = inks.view(np.int32).ravel().tolist()
    for place, ink in zip(places.reshape(-1, 8).tolist(), inks, strict=True):
        pen.polygon(place, fill=ink)
