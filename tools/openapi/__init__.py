"""The OpenAPI document, made from the code: `make openapi` writes docs/openapi.json.

`operations` is the table of all routes, `answers` describes what they answer, `document` puts both
together with the classes of http/requests.py, and `story` runs the functions for real examples.
"""
