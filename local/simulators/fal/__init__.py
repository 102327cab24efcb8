"""fal: queue, result files, webhooks and key set."""
