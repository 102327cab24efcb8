"""Measures start-up, throughput and cost against the budgets: `make bench`."""
