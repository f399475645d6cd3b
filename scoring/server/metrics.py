"""The metrics of the scorer, for Prometheus."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

# Seconds. An image takes 10 to 70 ms, a full queue of requests a second or two.
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CANARY_OUTCOMES = ("scored", "dropped", "failed", "crashed")


class Metrics:
    """Counters and gauges of one process; counters start at 0, as Prometheus expects."""

    def __init__(self):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        options = {"namespace": "scorer", "registry": self.registry}
        counter = partial(Counter, **options)
        gauge = partial(Gauge, **options)
        self.requests = counter("requests", "Requests", ("endpoint", "status"))
        histogram = partial(Histogram, buckets=LATENCIES, **options)
        self.latency = histogram("request_seconds", "From request to response", ("endpoint",))
        self.predictions = counter("predictions", "Predictions", ("label", "model_version", "role"))
        self.rejected = counter("rejected_images", "Images that cannot be read", ("reason",))
        self.feedback = counter("feedback", "True labels received", ("label",))
        self.log_errors = counter("log_errors", "Writes to the log that failed")
        self.in_progress = gauge("requests_in_progress", "Requests with images, also those waiting")
        names = ("role", "model_version", "model_md5")
        self.model = gauge("model_info", "1 for each loaded model", names)
        self.canary = counter("canary", "Images for the canary", ("outcome",))
        self.canary_on = gauge("canary_on", "1 if a canary is loaded and takes images")
        self.disagreed = counter("canary_disagreed", "Images with another label from the canary")
        for outcome in CANARY_OUTCOMES:  # visible before the first one
            self.canary.labels(outcome)
