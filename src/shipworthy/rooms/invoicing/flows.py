"""What people do here in a browser, from beginning to end: walked before every release."""

from __future__ import annotations

from shipworthy.contract.manifest import Flow, FlowStep

FLOWS = (
    Flow(
        name="create_invoice",
        title="Create an invoice",
        steps=(
            FlowStep(do="open", what="/customers/new"),
            FlowStep(do="fill", what="Name", value="Harbour {mark}"),
            FlowStep(do="fill", what="City", value="Hamburg"),
            FlowStep(do="press", what="Save customer"),
            FlowStep(do="see", what="Harbour {mark} is now a customer."),
            FlowStep(do="follow", what="New invoice"),
            FlowStep(do="fill", what="css=[name=lines-0-description]", value="Concept"),
            FlowStep(do="fill", what="css=[name=lines-0-quantity]", value="1.5"),
            FlowStep(do="fill", what="css=[name=lines-0-unit_price]", value="95.00"),
            # 142.50 net; 19 % of it is 27.075, so 27.08 of tax.
            FlowStep(do="see", what="css=#totals .grand dd:has-text('€169.58')"),
            FlowStep(do="press", what="Save draft"),
            FlowStep(do="see", what="css=h1:has-text('Draft invoice')"),
            FlowStep(do="press", what="Issue invoice"),
            FlowStep(do="press", what="Issue invoice"),  # of the dialog
            FlowStep(do="see", what="css=h1:text-matches('^Invoice \\\\S+')"),
            FlowStep(do="see", what="css=a:text-is('PDF')"),  # the worker made it
        ),
    ),
)
