"""Replicate: `client` with the SDK and the token, `webhook` without either, `outcome` for both."""
