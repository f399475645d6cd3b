"""The scene around the flower: background, obstacles, light and lens."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Dark, middle and bright colour, and noise cells across and down the picture.
BACKDROPS = {
    "garden": (((0.04, 0.12, 0.03), (0.20, 0.37, 0.12), (0.56, 0.66, 0.30)), (7, 6)),
    "meadow": (((0.16, 0.24, 0.07), (0.45, 0.50, 0.20), (0.80, 0.76, 0.45)), (26, 5)),
    "sky": (((0.28, 0.47, 0.78), (0.55, 0.72, 0.90), (0.93, 0.94, 0.96)), (3, 6)),
    "water": (((0.05, 0.13, 0.14), (0.16, 0.30, 0.32), (0.50, 0.62, 0.66)), (4, 22)),
    "studio": (((0.02, 0.02, 0.03), (0.05, 0.05, 0.06), (0.20, 0.18, 0.20)), (2, 2)),
    "wall": (((0.62, 0.57, 0.50), (0.76, 0.71, 0.64), (0.90, 0.87, 0.82)), (4, 3)),
    "soil": (((0.14, 0.09, 0.06), (0.30, 0.21, 0.14), (0.50, 0.38, 0.27)), (48, 40)),
}
BACKDROP_WEIGHTS = {
    "Lilly": {"garden": 6, "meadow": 1, "sky": 1, "water": 1, "studio": 2, "wall": 2, "soil": 1},
    "Lotus": {"garden": 2, "water": 8, "studio": 1},
    "Orchid": {"garden": 4, "meadow": 1, "sky": 1, "water": 1, "studio": 3, "wall": 3},
    "Sunflower": {"garden": 4, "meadow": 4, "sky": 4, "studio": 1, "wall": 1, "soil": 1},
    "Tulip": {"garden": 5, "meadow": 2, "sky": 2, "water": 1, "studio": 2, "wall": 1, "soil": 2},
}


def sample_light(rng):
    """Sample a unit vector towards the lamp, from any side but below and behind; shape (3,)."""
    light = np.array([rng.uniform(-1, 1), rng.uniform(0.0, 1), rng.uniform(0.25, 1.1)])
    return light / np.linalg.norm(light)


def _make_noise(rng, cells, size):
    """Smooth noise with mean 0 and deviation near 1, shape (height, width)."""
    across, down = cells
    coarse = rng.standard_normal((down + 2, across + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def draw_background(species, size, rng):
    """Draw a blurred background that is likely for a species.

    Parameters
    ----------
    species : str
        A key of `BACKDROP_WEIGHTS`.
    size : tuple of int
        Width and height, pixels.
    rng : numpy.random.Generator

    Returns
    -------
    PIL.Image.Image
        RGB, of that size.
    """
    weights = np.array(list(BACKDROP_WEIGHTS[species].values()), float)
    kind = rng.choice(list(BACKDROP_WEIGHTS[species]), p=weights / weights.sum())
    colours, cells = BACKDROPS[kind]
    level = 0.8 * _make_noise(rng, cells, size) + rng.uniform(-0.5, 0.5)
    level += rng.uniform(-0.9, 0.9) * np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    level += 0.35 * _make_noise(rng, (3 * cells[0], 3 * cells[1]), size)
    hue = rng.normal(0, 0.03, 3)
    stops = np.array(colours) + hue
    rgb = np.stack([np.interp(level, (-1.4, 0, 1.6), stop) for stop in stops.T], axis=-1)
    picture = Image.fromarray((255 * rgb.clip(0, 1)).astype(np.uint8))
    if kind in ("garden", "meadow", "studio"):
        _add_bokeh(picture, stops, rng)
    return picture


def _add_bokeh(picture, stops, rng):
    """Add soft discs of out-of-focus leaves, sun flecks and flowers, in place."""
    layer = picture.copy()
    pen = ImageDraw.Draw(layer)
    for _ in range(rng.integers(0, 14)):
        x, y = rng.uniform(0, 1, 2) * picture.size
        radius = rng.uniform(2, 14)
        colour = stops[2] * rng.uniform(0.6, 1.25)
        if rng.random() < 0.2:
            colour = rng.uniform(0.3, 0.95, 3)
        ink = tuple(int(c) for c in 255 * colour.clip(0, 1))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    layer = layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 4)))
    picture.paste(Image.blend(picture, layer, rng.uniform(0.3, 0.8)))


def draw_obstacle(picture, rng):
    """Draw an out-of-focus obstacle before the flower: a blade of grass, a leaf or a blob."""
    width, height = picture.size
    mask = Image.new("L", (width // 2, height // 2))
    pen = ImageDraw.Draw(mask)
    if rng.random() < 0.6:
        foot, head = rng.uniform(0, width / 2, 2)
        top = rng.uniform(0, height / 4)
        thick = rng.uniform(2, 9)
        pen.polygon((foot - thick, height / 2, head, top, foot + thick, height / 2), fill=235)
        green = np.array([0.22, 0.40, 0.12])
    else:
        x, y = rng.choice([0, 1], 2) * mask.size + rng.normal(0, 12, 2)
        reach = rng.uniform(15, 45, 2)
        pen.ellipse((*(np.array([x, y]) - reach), *(np.array([x, y]) + reach)), fill=235)
        green = rng.uniform(0.1, 0.7, 3)
    ink = 255 * (green * rng.uniform(0.5, 1.5)).clip(0, 1)
    mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 5.0))).resize(picture.size)
    return Image.composite(Image.new("RGB", picture.size, tuple(ink.astype(int))), picture, mask)


def apply_exposure(picture, light, rng):
    """Apply uneven light, colour cast, exposure, vignette and sensor noise.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.
    light : ndarray, shape (3,)
        From `sample_light`; the side towards the lamp becomes brighter.
    rng : numpy.random.Generator

    Returns
    -------
    PIL.Image.Image
        RGB, the same size.
    """
    width, height = picture.size
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(1, -1, height, dtype=np.float32)[:, None]
    field = 1 + rng.uniform(0, 0.35) * (light[0] * x + light[1] * y)
    field -= rng.uniform(0, 0.3) * (x * x + y * y)
    field *= 2 ** rng.uniform(-0.45, 0.35)
    cast = np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    rgb = np.asarray(picture, np.float32) * field.astype(np.float32)[..., None] * cast
    grain = rng.standard_normal((height, width, 1), np.float32)
    rgb += grain * np.float32(255 * rng.uniform(0.004, 0.03))
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))
