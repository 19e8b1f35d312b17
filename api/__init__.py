"""HTTP in, HTTP out: what `service.py` puts in front of BentoML's own server. Handed its pipeline, holds no model."""
