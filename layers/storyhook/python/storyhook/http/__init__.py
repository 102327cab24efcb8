"""The HTTP edge: requests checked by pydantic, refusals as problem+json, routes of the API."""
