"""The findings of a project for a coding agent, over the Model Context Protocol (ADR 0012): four tools, one pipe."""
