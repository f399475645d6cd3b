"""What the scorer counts, for Prometheus."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

# Seconds. A photo takes 20 to 70 ms, a full queue of requests a second or two.
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one scorer; they start at 0 with each worker, as Prometheus expects."""

    def __init__(self):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

        def make(kind, name, text, labels=(), **options):
            return kind(f"flowers_{name}", text, labels, registry=self.registry, **options)

        self.requests = make(
            Counter, "requests", "Requests by endpoint and status", ("endpoint", "status")
        )
        self.latency = make(
            Histogram,
            "request_seconds",
            "Time to answer a request",
            ("endpoint",),
            buckets=LATENCIES,
        )
        self.predictions = make(
            Counter, "predictions", "Answered photos", ("label", "model_version", "role")
        )
        self.rejected = make(Counter, "rejected_photos", "Photos not readable", ("reason",))
        self.feedback = make(Counter, "feedback", "True labels received", ("label",))
        self.canary = make(
            Counter,
            "canary",
            "Photos for the canary: scored, dropped (queue full) or failed",
            ("outcome",),
        )
        self.disagreed = make(
            Counter, "canary_disagreed", "Photos that the canary labelled otherwise"
        )
        self.log_bytes = make(Counter, "log_bytes", "Bytes written to the log")
        self.log_errors = make(Counter, "log_errors", "Writes to the log that failed")
        self.in_progress = make(
            Gauge, "requests_in_progress", "Requests with photos, answered now or waiting"
        )
        self.ready = make(Gauge, "ready", "1 if the scorer is ready to answer")
        self.model = make(
            Gauge, "model_info", "1 for each loaded model", ("role", "model_version", "model_md5")
        )
        for outcome in ("scored", "dropped", "failed"):  # visible before the first one
            self.canary.labels(outcome)

    def add_model(self, role, model):
        """Tell which model has a role, "production" or "canary"."""
        self.model.labels(role, model.version, model.md5).set(1)
