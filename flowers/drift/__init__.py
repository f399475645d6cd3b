"""Drift detection: the detector, the report on a stream of predictions, and its plots."""
