"""fal.ai: `client` with the SDK and the key, `webhook` without either, `outcome` for both."""
