"""Training networks as jobs: what runs is shown while it runs, can be stopped, and is reported on."""
