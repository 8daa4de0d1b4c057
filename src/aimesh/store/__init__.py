"""What outlives the process: journal, tasks, keys."""
