"""What people do here in a browser, from beginning to end: walked before every release."""

from __future__ import annotations

from shipworthy.contract.manifest import Flow, FlowStep

FLOWS = (
    Flow(
        name="publish_page",
        title="Publish a page",
        steps=(
            FlowStep(do="open", what="/pages/new"),
            FlowStep(do="fill", what="Title", value="Offer {mark}"),
            FlowStep(do="fill", what="Address", value="/{mark}"),
            FlowStep(do="fill", what="css=[name=blocks-0-body]", value="Call us about {mark}."),
            FlowStep(do="press", what="Save draft"),
            FlowStep(do="see", what="Draft saved."),
            FlowStep(do="press", what="Publish"),
            FlowStep(do="see", what="Published. Visitors see this version now."),
            FlowStep(do="open", what="/{mark}", host="site"),
            FlowStep(do="see", what="Call us about {mark}."),
        ),
    ),
)
