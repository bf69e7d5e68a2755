"""VAT numbers: their form is checked at once, whether they are given out by the service that knows, in a job."""
