"""Replicate: predictions, result files, webhooks and signing secret."""
