"""The benchmark: aimesh, nginx and LiteLLM in front of the same mock upstream, in one run.

1. The gateway under test has a core to itself; the mock upstream and the load generator share the others.
2. Everything is bounded in time and count, stays on loopback, and every process started here is ended here.
3. Figures are printed and written to ``bench/results/latest.json``; no test asserts them.
"""
