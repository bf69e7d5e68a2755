"""Pictures: taken in, kept in every size a page asks for, served under addresses that never change."""
