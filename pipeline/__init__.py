"""The product's thinking: photo in, ranked medicines out. No HTTP, no BentoML, no torch in here."""
