"""Measures. Run by hand on a quiet machine; figures and what they mean are in docs/performance.md."""
