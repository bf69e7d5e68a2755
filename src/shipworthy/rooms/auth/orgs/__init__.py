"""Organisations: members and their roles, invitations, and acting for one of several."""
