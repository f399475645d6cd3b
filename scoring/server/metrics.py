"""The metrics of the scorer, for Prometheus."""

from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

# Seconds. An image takes 10 to 70 ms, a full queue of requests a second or two.
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CANARY_OUTCOMES = ("scored", "dropped", "failed", "crashed")


class Metrics:
    """Counters and gauges of one process; counters start at 0, as Prometheus expects."""

    def __init__(self):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        counter, gauge = (
            partial(kind, namespace="flowers", registry=self.registry) for kind in (Counter, Gauge)
        )
        self.requests = counter("requests", "Requests", ("endpoint", "status"))
        self.latency = Histogram(
            "request_seconds",
            "Time from a whole request to its response",
            ("endpoint",),
            namespace="flowers",
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.predictions = counter("predictions", "Predictions", ("label", "model_version", "role"))
        self.rejected = counter("rejected_images", "Images that cannot be read", ("reason",))
        self.feedback = counter("feedback", "True labels received", ("label",))
        self.canary = counter("canary", "Images for the canary", ("outcome",))
        self.canary_on = gauge("canary_on", "1 if a canary is loaded and takes images")
        self.disagreed = counter("canary_disagreed", "Images with another label from the canary")
        self.log_bytes = counter("log_bytes", "Bytes written to the log")
        self.log_errors = counter("log_errors", "Writes to the log that failed")
        self.in_progress = gauge("requests_in_progress", "Requests with images, also those waiting")
        self.ready = gauge("ready", "1 if the scorer is ready")
        names = ("role", "model_version", "model_md5")
        self.model = gauge("model_info", "1 for each loaded model", names)
        for outcome in CANARY_OUTCOMES:  # visible before the first one
            self.canary.labels(outcome)

    def set_model(self, role, predictor):
        """Show the model that has a role, "production" or "canary", instead of the one before."""
        for sample in [s for family in self.model.collect() for s in family.samples]:
            if sample.labels["role"] == role:
                self.model.remove(*sample.labels.values())
        self.model.labels(role, predictor.version, predictor.md5).set(1)
