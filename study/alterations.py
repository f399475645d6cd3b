"""Alterations of a photo as in copies on the web, to measure the near-duplicate search."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

PAPER = (255, 255, 255)


def reencode(photo, rng):
    """Encode as a JPEG of quality 30 to 69."""
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=int(rng.integers(30, 70)))
    return Image.open(stream).convert("RGB")


def resize(photo, rng):
    """Shrink each side to 30 to 60 %, independently."""
    return photo.resize([max(32, round(side * rng.uniform(0.3, 0.6))) for side in photo.size])


def mirror(photo, rng):
    """Mirror left to right."""
    return ImageOps.mirror(photo)


def crop(photo, rng, share):
    """Cut a window at a random place, `share` of each side long."""
    width, height = (round(side * share) for side in photo.size)
    left = int(rng.integers(0, photo.width - width + 1))
    top = int(rng.integers(0, photo.height - height + 1))
    return photo.crop((left, top, left + width, top + height))


def add_border(photo, rng):
    """Add a frame of one colour, 4 to 10 % of the shorter side wide."""
    wide = round(min(photo.size) * rng.uniform(0.04, 0.1))
    return ImageOps.expand(photo, wide, tuple(rng.integers(0, 256, 3).tolist()))


def draw_text(photo, words, place, share, ink):
    """Draw words over the photo, `share` of its width long, centred at `place`."""
    layer = Image.new("RGBA", photo.size, (*ink[:3], 0))
    size = share * photo.width / len(words) * 1.8
    middle = (place[0] * photo.width, place[1] * photo.height)
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(layer).text(middle, words, fill=ink, font=font, anchor="mm")
    return Image.alpha_composite(photo.convert("RGBA"), layer).convert("RGB")


def add_watermark(photo, rng):
    """Draw half-transparent words across the middle."""
    return draw_text(photo, "stock photos", (0.5, rng.uniform(0.4, 0.6)), 0.8, (*PAPER, 120))


def add_caption(photo, rng):
    """Draw words on a bar along the lower edge."""
    bar = Image.new("RGB", (photo.width, max(12, photo.height // 8)), (30, 30, 30))
    photo = photo.copy()
    photo.paste(bar, (0, photo.height - bar.height))
    return draw_text(photo, "Have a good day", (0.5, 15 / 16), 0.7, (*PAPER, 255))


def shift_hue(photo, rng):
    """Rotate the hues by 60 to 300 degrees and change the saturation."""
    hsv = np.array(photo.convert("HSV"))
    hsv[..., 0] += np.uint8(rng.integers(43, 213))
    turned = Image.fromarray(hsv, "HSV").convert("RGB")
    return ImageEnhance.Color(turned).enhance(rng.uniform(0.7, 1.3))


def replace_background(photo, rng):
    """Fill with one colour outside a soft ellipse, 75 % of each side long."""
    mask = Image.new("L", photo.size, 0)
    width, height = photo.size
    box = (width * 0.125, height * 0.125, width * 0.875, height * 0.875)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(0.02 * min(photo.size)))
    backdrop = Image.new("RGB", photo.size, tuple(rng.integers(0, 256, 3).tolist()))
    return Image.composite(photo, backdrop, mask)


def rotate(photo, rng, degrees):
    """Rotate to either side; the corners are white."""
    sign = 1 if rng.random() < 0.5 else -1
    expand = degrees == 90
    return photo.rotate(sign * degrees, Image.Resampling.BICUBIC, expand, fillcolor=PAPER)


def blur(photo, rng):
    """Blur by a Gaussian of 1 % of the shorter side."""
    return photo.filter(ImageFilter.GaussianBlur(0.01 * min(photo.size)))


# Name to function of an RGB image and a numpy.random.Generator.
ALTERATIONS = {
    "re-encoded": reencode,
    "resized": resize,
    "mirrored": mirror,
    "blurred": blur,
    "watermark": add_watermark,
    "text": add_caption,
    "border": add_border,
    "cropped to 90 %": lambda photo, rng: crop(photo, rng, 0.9),
    "cropped to 75 %": lambda photo, rng: crop(photo, rng, 0.75),
    "cropped to 50 %": lambda photo, rng: crop(photo, rng, 0.5),
    "recoloured": shift_hue,
    "background replaced": replace_background,
    "rotated by 3°": lambda photo, rng: rotate(photo, rng, 3),
    "rotated by 10°": lambda photo, rng: rotate(photo, rng, 10),
    "rotated by 90°": lambda photo, rng: rotate(photo, rng, 90),
}
