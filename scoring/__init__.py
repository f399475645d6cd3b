"""What users call: the scorer, the local script and the registry of promoted models."""

from flowers.base.determinism import set_deterministic

# Answers are compared with golden ones: the same arithmetic as in training. Its one BLAS thread
# is also the fastest for single photos (python -m benchmarks.serve).
set_deterministic()
