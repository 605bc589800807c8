"""Training of movied's models with PyTorch and diffusers: data, networks, stages, evaluation, export."""
