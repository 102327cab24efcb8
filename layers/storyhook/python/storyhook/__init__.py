"""Storyhook: a story goes in, pictures with the same characters come out.

Read top-down: functions/<name>/app.py, usecases, domain; `wiring` says what is plugged in where.
"""
