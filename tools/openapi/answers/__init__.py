"""What the API answers, as types. Made into JSON Schema here; nothing of this runs in the cloud.

tests/integration/test_openapi.py holds real answers against it, in both directions: every field
of an answer is described, and every described field has been seen in an answer.
"""
