"""Several websites of one tenant: which one is worked on, what each is called, and starting another one."""
