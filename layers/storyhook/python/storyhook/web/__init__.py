"""HTTP to places that others name: customers' URLs and pictures. Every connection is guarded."""
