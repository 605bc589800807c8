// Filled by the first vertical step.
