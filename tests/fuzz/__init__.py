"""Requests that nobody would write, made of docs/openapi.json: `make fuzz`."""
