"""Objectives at run time: read from the app's own counters, alerted on, and told to Prometheus."""
