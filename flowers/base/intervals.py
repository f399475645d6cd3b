"""Interval of a share."""

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def compute_wilson_interval(share, size, z=Z):
    """Compute the score interval of a `share` of `size` > 0 observations, low and high in [0, 1].

    Wilson 1927, *JASA* 22; `z` is a quantile of the normal distribution, by default of 95 %.

    >>> [round(end, 3) for end in compute_wilson_interval(0.9, 10)]
    [0.596, 0.982]
    """
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    radius = (share * (1 - share) / size + z**2 / (4 * size**2)) ** 0.5 * z / (1 + z**2 / size)
    return max(centre - radius, 0.0), min(centre + radius, 1.0)
