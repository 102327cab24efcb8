"""Simulated providers: HTTP servers that speak fal's and Replicate's wire protocols.

They are written from the providers' documentation and official clients alone, and
share no code with the adapters, so that one misreading cannot pass on both sides.
"""
