"""Evaluates a model: see movie_training/evaluation/command.py, or --help."""

import sys

from movie_training.evaluation.command import main

if __name__ == "__main__":
    sys.exit(main())
