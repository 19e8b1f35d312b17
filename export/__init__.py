"""Checkpoints to the ONNX files that are served: `python -m export MODEL`."""
