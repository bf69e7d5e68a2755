"""`python -m shipworthy` is `shipworthy`."""

from shipworthy.cli.main import main

main()
