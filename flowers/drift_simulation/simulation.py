"""Simulate the drift alarm on held-out photos: how often it rings in vain, and how soon in earnest.

Reference and stream are drawn anew and independently from the same held-out photos (group
bootstrap): without a shift the null hypothesis holds exactly, and the chance in the reference, as
large as the real one, is part of the rates. Each draw stands for a photo of its own.
"""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.drift import watch
from flowers.drift.martingale import bet_on
from flowers.drift.means import Means
from flowers.drift.neutral import Ranked
from flowers.drift.report import wilson
from flowers.drift.windows import Held
from flowers.drift_simulation import traffic

# A month of a small scorer.
MONTH = 20_000
INDEPENDENT, CLUSTERED = "independent", "clustered"
# Photos of a class in bursts, and days whose mix swings by 5 points (standard deviation).
TRAFFIC = {INDEPENDENT: {}, CLUSTERED: {"burst": 3.0, "day_sd": 0.05}}
WITHIN = (400, 1000, 2000)
QUIET = 500  # photos before a shift begins
AT_A_TIME = 20  # streams, for memory


class Simulator:
    """Draws references and streams, and tells what rings.

    Parameters
    ----------
    held_out : flowers.model.reference.Reference
    params : dict
        ``capital``, ``window``, ``alpha``, ``proportion_tolerance``.
    seed : int
    """

    def __init__(self, held_out, params, seed):
        self.held_out, self.params, self.seed = held_out, params, seed
        right = held_out.probabilities.argmax(axis=1) == held_out.truth
        _, place, copies = np.unique(held_out.group, return_inverse=True, return_counts=True)
        self.distinct = len(copies)
        self.weight = (1 / copies)[place] / self.distinct
        self.accuracy = float(right @ self.weight)

    def references(self, count, rng):
        """Rows of held-out photos, (count, distinct)."""
        even = np.ones(len(self.held_out.group))
        return traffic.draw_photos(self.held_out.group, even, (count, self.distinct), rng)

    def rings(self, population, references, streams, rng):
        """Watch each stream.

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
        list of (Ring or None, Means, Held)
        """
        held_out = self.held_out
        helds = [
            Held(held_out.probabilities[rows], held_out.truth[rows], held_out.image[rows])
            for rows in references
        ]
        ranked, tolerance = Ranked(population), self.params["proportion_tolerance"]
        tables = [ranked.values(rows, held_out.truth[rows]) for rows in references]
        codes = [ranked.bets(scored, tolerance) for scored, _ in tables]
        known, arriving = (
            np.stack([c[rows] for c, rows in zip(codes, drawn, strict=True)])
            for drawn in (references, streams)
        )
        capital = bet_on(known, arriving, rng.random(streams.shape))
        found, day = [], np.arange(streams.shape[1]) // traffic.PER_DAY
        for held, table, past, rows, line in zip(
            helds, tables, references, streams, capital, strict=True
        ):
            given = ([x[some] for x in table] for some in (past, rows))
            means = Means.of(held.truth, *given, day, self.params)
            found.append((watch.first_ring(line, means, self.params), means, held))
        return found

    def false_alarms(self, count, traffics, length=MONTH):
        """Share of streams without any shift that ring, with its interval.

        Parameters
        ----------
        count, length : int
            Streams of each traffic, and photos in each.
        traffics : dict of name to dict
            As ``flowers.drift_simulation.traffic.streams`` takes them.

        Yields
        ------
        name : str
        told : dict
        """
        starts = range(0, count, AT_A_TIME)
        # Of all traffics at once: no worker waits for the last streams of one.
        tasks = (
            (start, (min(AT_A_TIME, count - start), length), kind)
            for kind in traffics.values()
            for start in starts
        )
        watched = parallel_map(self._quiet, tasks)
        for name in traffics:
            by = [ring.by for _ in starts for ring in next(watched) if ring]
            low, high = wilson(len(by), count)
            told = {"streams": count, "photos": length, "false_alarm_rate": len(by) / count}
            told |= {"false_alarm_rate_low": max(low, 0.0), "false_alarm_rate_high": high}
            yield name, told | {ring: by.count(ring) / count for ring in watch.RINGS}

    def _quiet(self, start, size, kind):
        """Rings of streams without a shift, the same whatever else is drawn."""
        rng, answers = np.random.default_rng([self.seed, start]), self.held_out.probabilities
        drawn = traffic.streams(self.held_out, size, rng, **kind)
        return [ring for ring, *_ in self.rings(answers, self.references(size[0], rng), drawn, rng)]

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
        population = np.concatenate([held_out.probabilities, case.after])
        drawn = np.concatenate([quiet, late], axis=1)
        watched = self.rings(population, self.references(count, rng), drawn, rng)
        rang = [r.at - QUIET + 1 if r else np.inf for r, *_ in watched]
        delays = np.array([delay for delay in rang if delay > 0])
        right = np.concatenate(
            [held_out.probabilities.argmax(axis=1) == held_out.truth, case.correct]
        )
        settled = late[:, case.slow // 2 :]
        told = {"accuracy_drop": self.accuracy - float(right[settled].mean())}
        # Where every stream rings before the shift, none is left to notice it.
        shares = {n: float((delays <= n).mean()) if len(delays) else None for n in WITHIN}
        told |= {f"detected_within_{n}": share for n, share in shares.items()}
        median = np.median(delays) if len(delays) else np.inf
        told["median_delay"] = int(median) if np.isfinite(median) else None
        kinds = [
            watch.kind(ring, means, held, population[rows], self.params)
            for (ring, means, held), rows in zip(watched, drawn, strict=True)
            if ring and ring.at >= QUIET
        ]
        told["kind_correct"] = kinds.count(case.kind) / len(kinds) if kinds else None
        return told

    def after(self, case, size, rng, kind):
        """Rows of the population that come after the shift, (s, n)."""
        held_out, m = self.held_out, len(self.held_out.truth)
        if case.mix is not None:
            return traffic.streams(held_out, size, rng, mix=case.mix, **kind)
        plain = traffic.streams(held_out, size, rng, **kind)
        shifted = held_out.select(case.rows)
        moved = m + traffic.streams(shifted, size, rng, **kind)
        share = case.share * np.minimum(1, np.arange(1, size[1] + 1) / max(case.slow, 1))
        return np.where(rng.random(size) < share, moved, plain)
