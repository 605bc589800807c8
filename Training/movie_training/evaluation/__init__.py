"""Evaluation of an editing (a model in some engine) on photographs and prompts that training never saw.

`measure.measure` runs everything on an `engines.Editing` and gives a report, which is plain data for JSON;
`report` turns reports into tables and checks them against the goals. The command is Training/evaluate.py.
"""
