"""The playbook's named loads as coded journeys; their probes make the plans and read what they observe."""
