"""Simulate the drift alarm on held-out photos: how often it rings in vain, and how soon in earnest.

Reference and stream are drawn anew and independently from the same held-out photos (group
bootstrap): without a shift the null hypothesis holds exactly, and the chance in the reference, as
large as the real one, is part of the rates. Each draw stands for a photo of its own.
"""

from dataclasses import dataclass

import numpy as np

from flowers.drift import shifts, traffic, watch
from flowers.drift.martingale import bet_on
from flowers.drift.ranks import codes_of
from flowers.drift.report import wilson
from flowers.drift.windows import Held, Windows

# A month of a small scorer.
MONTH = 20_000
INDEPENDENT, CLUSTERED = "independent", "clustered"
# Photos of a class in bursts, and days whose mix swings by 5 points (standard deviation).
TRAFFIC = {INDEPENDENT: {}, CLUSTERED: {"burst": 3.0, "day_sd": 0.05}}
WITHIN = (400, 1000, 2000)
QUIET = 500  # photos before a shift begins
SLOW = 2000  # photos over which a slow shift comes up
AT_A_TIME = 40  # streams, for memory
RARE = {"unknown": (0.2, 0.05)}  # shares of photos in place of those of the other shifts


@dataclass(frozen=True)
class Case:
    """A shift to be noticed.

    Attributes
    ----------
    after : ndarray of shape (m, n_classes)
        Answers about photos after the shift.
    correct : ndarray of shape (m,), bool
        Whether those are right.
    rows : ndarray of shape (m,)
        Which held-out photos they are.
    share : float
        Of the photos that are shifted.
    slow : int
        Photos over which the share comes up.
    mix : ndarray of shape (n_classes,) or None
        Of the classes after the shift.
    """

    after: np.ndarray
    correct: np.ndarray
    rows: np.ndarray
    share: float = 1.0
    slow: int = 0
    mix: np.ndarray | None = None

    @property
    def kind(self):
        """What the alarm should say."""
        return watch.PHOTOS if self.mix is None else watch.FLOWERS


def cases(held_out, answer, images, rows, shares):
    """Make every shift.

    Parameters
    ----------
    held_out : dict
        As of ``flowers.log.reference.read_reference``.
    answer : callable
        From images to probabilities.
    images : ndarray of shape (m, s, s, 3), uint8
        Held-out photos that are shifted.
    rows : ndarray of shape (m,)
        Their rows in `held_out`.
    shares : sequence of float
        Of the photos that are shifted.

    Yields
    ------
    name : str
    case : Case
    """
    truth, before = held_out["truth"], held_out["probabilities"]
    for name in shifts.OF_PIXELS:
        after = answer(shifts.apply(name, images)).astype(before.dtype).round(6)
        right = after.argmax(axis=1) == truth[rows]
        right &= name not in shifts.WITHOUT_ANSWER
        for share in RARE.get(name, shares):
            yield f"{name}, {100 * share:.0f} %", Case(after, right, rows, share)
        if name == "grey":
            yield f"{name}, slowly", Case(after, right, rows, slow=SLOW)
    right, everything = before.argmax(axis=1) == truth, np.arange(len(truth))
    for name, weights in shifts.OF_CLASSES.items():
        mix = traffic.base_mix(truth, len(held_out["classes"])) * weights(len(held_out["classes"]))
        yield name, Case(before, right, everything, mix=mix / mix.sum())


def spread(rows, groups, count):
    """Choose `count` rows evenly, the first of each group before any other."""
    first = np.unique(groups[rows], return_index=True)[1]
    order = np.concatenate([np.sort(first), np.setdiff1d(np.arange(len(rows)), first)])
    firsts, others = order[: len(first)], order[len(first) :]
    if len(firsts) >= count:
        return rows[firsts[np.linspace(0, len(firsts) - 1, count).astype(int)]]
    return np.sort(rows[np.concatenate([firsts, others[: count - len(firsts)]])])


class Simulator:
    """Draws references and streams, and tells what rings.

    Parameters
    ----------
    held_out : dict
    knobs : dict
        ``capital``, ``window``, ``alpha``, ``mix_tolerance``.
    seed : int
    """

    def __init__(self, held_out, knobs, seed):
        self.held_out, self.knobs, self.seed = held_out, knobs, seed
        right = held_out["probabilities"].argmax(axis=1) == held_out["truth"]
        groups = held_out["group"]
        self.distinct = len(np.unique(groups))
        self.weight = 1 / np.bincount(np.unique(groups, return_inverse=True)[1])
        self.weight = self.weight[np.unique(groups, return_inverse=True)[1]] / self.distinct
        self.accuracy = float(right @ self.weight)

    def references(self, count, rng):
        """Rows of held-out photos, (count, distinct)."""
        even = np.ones(len(self.held_out["group"]))
        return traffic.draw_photos(self.held_out["group"], even, (count, self.distinct), rng)

    def rings(self, population, references, streams, rng):
        """Ring of each stream, or None.

        Parameters
        ----------
        population : ndarray of shape (u, n_classes)
            Answers; the held-out photos come first.
        references : ndarray of shape (s, m)
        streams : ndarray of shape (s, n)
            Rows of the population.
        rng : numpy.random.Generator

        Returns
        -------
        rings : list of (Ring or None)
        helds : list of Held
        """
        held_out = self.held_out
        helds = [
            Held(*(held_out[name][rows] for name in ("probabilities", "truth", "image")))
            for rows in references
        ]
        tolerance = self.knobs["mix_tolerance"]
        codes = [codes_of(watch.ranked(held, population, tolerance)) for held in helds]
        known, arriving = (
            np.stack([c[rows] for c, rows in zip(codes, drawn, strict=True)])
            for drawn in (references, streams)
        )
        capital = bet_on(known, arriving, rng.random(streams.shape))
        found = []
        for held, rows, line in zip(helds, streams, capital, strict=True):
            windows = Windows.of(held, population[rows], self.knobs["window"], tolerance)
            found.append(watch.first_ring(line, windows, self.knobs))
        return found, helds

    def false_alarms(self, count, length=MONTH, **kind):
        """Share of streams without any shift that ring, with its interval.

        Parameters
        ----------
        count, length : int
            Streams, and photos in each.
        **kind
            Of traffic, as ``flowers.drift.traffic.streams`` takes it.

        Returns
        -------
        dict
        """
        rng, rang = np.random.default_rng(self.seed), []
        for start in range(0, count, AT_A_TIME):
            size = min(AT_A_TIME, count - start), length
            drawn = traffic.streams(self.held_out, size, rng, **kind)
            references = self.references(size[0], rng)
            rang += self.rings(self.held_out["probabilities"], references, drawn, rng)[0]
        by = [ring.by for ring in rang if ring]
        low, high = wilson(len(by), count)
        told = {"streams": count, "photos": length, "rang": len(by) / count}
        told |= {"rang_low": max(low, 0.0), "rang_high": high}
        return told | {name: by.count(name) / count for name in watch.RINGS}

    def detection(self, case, count, **kind):
        """How soon a shift is noticed, and whether its kind is told.

        Parameters
        ----------
        case : Case
        count : int
            Streams.
        **kind
            Of traffic.

        Returns
        -------
        dict
        """
        rng, held_out = np.random.default_rng(self.seed), self.held_out
        quiet = traffic.streams(held_out, (count, QUIET), rng, **kind)
        late = self.after(case, (count, WITHIN[-1]), rng, kind)
        population = np.concatenate([held_out["probabilities"], case.after])
        drawn = np.concatenate([quiet, late], axis=1)
        rings, helds = self.rings(population, self.references(count, rng), drawn, rng)
        rang = [r.at - QUIET + 1 if r else np.inf for r in rings]
        delays = np.array([delay for delay in rang if delay > 0])
        right = np.concatenate(
            [held_out["probabilities"].argmax(axis=1) == held_out["truth"], case.correct]
        )
        settled = late[:, case.slow // 2 :]
        told = {"accuracy_lost": self.accuracy - float(right[settled].mean())}
        told |= {f"within_{n}": float((delays <= n).mean()) for n in WITHIN}
        median = np.median(delays) if len(delays) else np.inf
        told["median_photos"] = int(median) if np.isfinite(median) else None
        kinds = [
            watch.kind(ring, held, population[rows], self.knobs)
            for ring, held, rows in zip(rings, helds, drawn, strict=True)
            if ring and ring.at >= QUIET
        ]
        told["kind_told"] = kinds.count(case.kind) / len(kinds) if kinds else None
        return told

    def after(self, case, size, rng, kind):
        """Rows of the population that come after the shift, (s, n)."""
        held_out, m = self.held_out, len(self.held_out["truth"])
        if case.mix is not None:
            return traffic.streams(held_out, size, rng, mix=case.mix, **kind)
        plain = traffic.streams(held_out, size, rng, **kind)
        some = {name: held_out[name][case.rows] for name in ("group", "truth")}
        some["classes"] = held_out["classes"]
        moved = m + traffic.streams(some, size, rng, **kind)
        share = case.share * np.minimum(1, np.arange(1, size[1] + 1) / max(case.slow, 1))
        return np.where(rng.random(size) < share, moved, plain)
