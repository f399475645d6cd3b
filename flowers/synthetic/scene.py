"""The scene around the flower: background, obstacles, light and lens."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Dark, middle and bright colour, and noise cells across and down the picture.
BACKDROPS = {
    "garden": (((0.04, 0.12, 0.03), (0.20, 0.37, 0.12), (0.56, 0.66, 0.30)), (7, 6)),
    "meadow": (((0.16, 0.24, 0.07), (0.45, 0.50, 0.20), (0.80, 0.76, 0.45)), (22, 7)),
    "sky": (((0.28, 0.47, 0.78), (0.55, 0.72, 0.90), (0.93, 0.94, 0.96)), (3, 6)),
    "water": (((0.05, 0.13, 0.14), (0.16, 0.30, 0.32), (0.50, 0.62, 0.66)), (5, 20)),
    "studio": (((0.02, 0.02, 0.03), (0.05, 0.05, 0.06), (0.20, 0.18, 0.20)), (2, 2)),
    "wall": (((0.62, 0.57, 0.50), (0.76, 0.71, 0.64), (0.90, 0.87, 0.82)), (4, 3)),
    "soil": (((0.14, 0.09, 0.06), (0.30, 0.21, 0.14), (0.50, 0.38, 0.27)), (48, 40)),
}
# The backdrop that is likely for a species; every other one is possible.
TYPICAL = {
    "Lilly": "garden",
    "Lotus": "water",
    "Orchid": "studio",
    "Sunflower": "sky",
    "Tulip": "meadow",
}
TYPICAL_SHARE = 0.45


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
        A key of `TYPICAL`.
    size : tuple of int
        Width and height, pixels.
    rng : numpy.random.Generator

    Returns
    -------
    PIL.Image.Image
        RGB, of that size.
    """
    kind = TYPICAL[species] if rng.random() < TYPICAL_SHARE else rng.choice(list(BACKDROPS))
    colours, cells = BACKDROPS[kind]
    level = 0.8 * _make_noise(rng, cells, size) + rng.uniform(-0.5, 0.5)
    level += rng.uniform(-0.9, 0.9) * np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    level += 0.35 * _make_noise(rng, (24, 20), size)
    stops = (255 * (np.array(colours) + rng.normal(0, 0.03, 3))).clip(0, 255)
    bands = [np.interp(level, (-1.4, 0, 1.6), stop).astype(np.uint8) for stop in stops.T]
    picture = Image.merge("RGB", [Image.fromarray(band) for band in bands])
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
            colour = rng.uniform(80, 240, 3)
        ink = tuple(colour.clip(0, 255).astype(int).tolist())
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    layer = layer.filter(ImageFilter.BoxBlur(rng.uniform(0.8, 4)))
    picture.paste(Image.blend(picture, layer, rng.uniform(0.3, 0.8)))


def draw_obstacle(picture, rng):
    """Draw an out-of-focus obstacle before the flower: a blade of grass, a leaf or a blob."""
    width, height = picture.size
    mask = Image.new("L", (width // 4, height // 4))
    pen = ImageDraw.Draw(mask)
    if rng.random() < 0.6:
        foot, head = rng.uniform(0, width / 4, 2)
        top = rng.uniform(0, height / 8)
        thick = rng.uniform(1, 5)
        pen.polygon((foot - thick, height / 4, head, top, foot + thick, height / 4), fill=235)
        green = np.array([0.22, 0.40, 0.12])
    else:
        x, y = rng.choice([0, 1], 2) * mask.size + rng.normal(0, 6, 2)
        reach = rng.uniform(7, 22, 2)
        pen.ellipse((*(np.array([x, y]) - reach), *(np.array([x, y]) + reach)), fill=235)
        green = rng.uniform(0.1, 0.7, 3)
    ink = 255 * (green * rng.uniform(0.5, 1.5)).clip(0, 1)
    mask = mask.filter(ImageFilter.BoxBlur(rng.uniform(0.5, 3.0))).resize(picture.size)
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
    across, up, _ = light.tolist()  # Python's numbers keep the arrays at 32 bits
    field = 1 + rng.uniform(0, 0.35) * (across * x + up * y)
    field -= rng.uniform(0, 0.3) * (x * x + y * y)
    field *= 2 ** rng.uniform(-0.45, 0.35)
    cast = np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    grain = np.frombuffer(rng.bytes(width * height), np.uint8).reshape(height, width)
    noise = (grain - np.float32(127.5)) * np.float32(rng.uniform(0.01, 0.1))
    bands = []
    for band, gain in zip(picture.split(), cast, strict=True):
        level = np.asarray(band) * (field * gain)
        level += noise
        bands.append(Image.fromarray(level.clip(0, 255, out=level).astype(np.uint8)))
    return Image.merge("RGB", bands)
