"""Petals, stems and seeds as small lit four-sided facets in space, painted back to front.

Axes: x right, y up, z towards the viewer; a flower is about one unit in radius.
"""

from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

AMBIENT = 0.55  # share of light that reaches a facet turned away from the lamp
PERSPECTIVE = 0.12  # growth in size per unit towards the viewer
DEPTH = 0.22  # gain in light per unit towards the viewer: little light reaches between petals


def turned(tilt, roll):
    """Matrix that leans the z axis up by `tilt`, then turns it anticlockwise by `roll` (radians).

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Use as ``points @ matrix.T``.
    """
    c, s = np.cos(tilt), np.sin(tilt)
    lean = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    c, s = np.cos(roll), np.sin(roll)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ lean


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

    def points(self):
        """Lay a lattice of points on the petal, shape (along, across, 3), float64."""
        along, across = self.lattice
        u = np.sin(np.linspace(0, np.pi / 2, along))  # denser near the tip, where the outline bends
        v = np.linspace(-1, 1, across)
        elevation = self.rise + self.curl * u
        step = self.length * np.diff(u, prepend=0.0)
        radius = self.start + np.cumsum(np.cos(elevation) * step)
        height = np.cumsum(np.sin(elevation) * step)
        a, b = self.shape
        peak = a / (a + b)
        outline = self.half_width * (u / peak) ** a * ((1 - u).clip(0) / (1 - peak)) ** b
        side = outline[:, None] * v
        wave = np.sin(9 * u + 3 * self.azimuth)[:, None] * np.abs(v) ** 3
        hollow = outline[:, None] * (self.cup * v**2 + self.ruffle * wave)
        out = radius[:, None] - hollow * np.sin(elevation)[:, None]
        up = height[:, None] + hollow * np.cos(elevation)[:, None]
        c, s = np.cos(self.azimuth), np.sin(self.azimuth)
        return np.stack([out * c - side * s, out * s + side * c, up], axis=-1)


def tube(path, half_width, across=5):
    """Lattice of points on the visible half of a round tube, shape (len(path), across, 3).

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


def curve(*knots, points=12):
    """Points along the Bezier curve with three knots in space, shape (points, 3)."""
    first, middle, last = np.asarray(knots, float)
    t = np.linspace(0, 1, points)[:, None]
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last


def facets(lattice, colours):
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
    corners = np.stack(
        [lattice[:-1, :-1], lattice[:-1, 1:], lattice[1:, 1:], lattice[1:, :-1]], axis=2
    )
    colours = np.broadcast_to(colours, (*corners.shape[:2], 3))
    return corners.reshape(-1, 4, 3), colours.reshape(-1, 3)


def dots(centres, radius, colours):
    """Small diamonds that face the viewer: freckles and seeds.

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


def lit(corners, colours, light):
    """Colours of facets under a lamp in direction `light` (unit vector), shape (count, 3)."""
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    normal *= np.where(normal[:, 2:] < 0, -1, 1)  # petals are thin: light the side that is seen
    depth = corners[:, :, 2].mean(axis=1)
    facing = (1 + normal @ light) / 2
    sheen = 0.14 * (normal @ ((light + [0, 0, 1]) / np.linalg.norm(light + [0, 0, 1]))) ** 24
    shade = (AMBIENT + (1 - AMBIENT) * facing**1.4) * (0.97 + DEPTH * depth.clip(-1, 0.5))
    return colours * shade[:, None] + sheen[:, None]


def paint(picture, parts, centre, scale, light):
    """Paint facets onto `picture`, in place.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.
    parts : list of (corners, colours)
        As made by `facets` and `dots`.
    centre : tuple of float
        Where the origin lands, pixels from the top left.
    scale : float
        Pixels per unit.
    light : ndarray, shape (3,)
        Unit vector towards the lamp.
    """
    corners = np.concatenate([corners for corners, _ in parts])
    colours = lit(corners, np.concatenate([colours for _, colours in parts]), light)
    grown = scale * (1 + PERSPECTIVE * corners[:, :, 2:])
    places = np.asarray(centre) + grown * corners[:, :, :2] * [1, -1]
    seen = ((places.max(axis=1) >= 0) & (places.min(axis=1) < picture.size)).all(axis=1)
    depth = corners[:, :, 2].mean(axis=1)
    order = np.argsort(depth, kind="stable")
    order = order[seen[order]]
    places = places[order]
    inks = (255 * colours[order].clip(0, 1)).astype(int).tolist()
    pen = ImageDraw.Draw(picture)
    for place, ink in zip(places.reshape(-1, 8).tolist(), inks, strict=True):
        pen.polygon(place, fill=tuple(ink))
