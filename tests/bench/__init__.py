"""What `make bench` measures: this project beside the first version's loop, on a simulated GitHub, in one run."""
