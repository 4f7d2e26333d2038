"""The parts of `bench/scale.py`: working folders, processes, probes, figures."""
