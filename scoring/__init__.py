"""The scorer, the prediction command and the model registry."""

from flowers.base.determinism import set_deterministic
from flowers.base.memory import keep_freed_memory

# Predictions are compared with golden ones, so they need the arithmetic of training. One BLAS
# thread is also the fastest setting for single photos (python -m benchmarks.serve).
set_deterministic()
keep_freed_memory()
