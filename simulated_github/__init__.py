"""A GitHub on loopback: real windows, lags, limits and faults, for the demo, the tests and the benchmarks."""

from simulated_github.simulation import SimulatedGitHub

__all__ = ["SimulatedGitHub"]
