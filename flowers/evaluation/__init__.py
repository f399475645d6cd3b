"""Evaluation on the test images: metrics, intervals, comparison, champion, charts, report page."""
