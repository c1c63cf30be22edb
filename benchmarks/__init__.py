"""What lorsync promises about requests, time and memory, measured on real servers.

``make bench`` runs it; ``python -m benchmarks --help`` says which parts there are.
"""
