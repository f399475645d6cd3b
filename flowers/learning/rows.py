"""Rows that stay on the disk and are read a batch at a time."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np

from flowers.base.parallel import drop_pages, use_threads

# Rows whose products with one another are known at once; 64 x 35,000 float32 = 9 MB.
BATCH = 64


class Rows:
    """Rows of arrays that lie below one another, which are read when they are asked for.

    Parameters
    ----------
    sources : sequence of ndarray of shape (n, d), mapped from files or not
    numbers : ndarray of shape (m,), int
        The rows to take from each source, those of the first source first.
    mean, factor : ndarray of shape (d,), float32, optional
        What to take off, and to multiply by then.
    """

    def __init__(self, sources, numbers, mean=None, factor=None):
        self.sources, self.numbers, self.mean, self.factor = sources, numbers, mean, factor
        self.shape = (len(sources) * len(numbers), sources[0].shape[1])

    def __len__(self):
        """How many rows there are."""
        return self.shape[0]

    def seen(self, some):
        """Give the rows of these places, float32."""
        source, place = np.divmod(some, len(self.numbers))
        rows = np.empty((len(some), self.shape[1]), np.float32)
        for k, array in enumerate(self.sources):
            rows[source == k] = array[self.numbers[place[source == k]]]
            drop_pages(array)
        if self.mean is not None:
            rows -= self.mean
        if self.factor is not None:
            rows *= self.factor
        return rows

    def batches(self, order):
        """Yield places, their rows and the products of these, in this order, read ahead."""
        for places, (rows, products) in self._ahead(self._with_products, order):
            yield places, rows, products

    def read(self, order):
        """Yield places and their rows, in this order, read ahead."""
        return self._ahead(self.seen, order)

    def _with_products(self, places):
        rows = self.seen(places)
        return rows, rows @ rows.T

    def _ahead(self, function, order):
        """Yield places, a batch at a time, and what the function gives for them."""
        some = [order[k : k + BATCH] for k in range(0, len(order), BATCH)]
        with use_threads():
            count = joblib.effective_n_jobs(None)
        if count == 1:
            yield from ((places, function(places)) for places in some)
            return
        # joblib would run as far ahead as it can, and so fill the memory.
        with ThreadPoolExecutor(count) as pool:
            waiting = deque()
            for places in some:
                waiting.append((places, pool.submit(function, places)))
                if len(waiting) > count:
                    places, found = waiting.popleft()
                    yield places, found.result()
            for places, found in waiting:
                yield places, found.result()
