"""The PDF is made in a process of its own: bounded in memory, CPU and time, and nobody is harmed when it dies."""
