"""Everything that speaks to AWS. Imported by `wiring` alone.

Clients come from botocore, boto3's own core: the same client objects without the resource layer,
which costs a cold start about 120 ms of CPU (docs/decisions/0004-botocore-clients.md).
"""
