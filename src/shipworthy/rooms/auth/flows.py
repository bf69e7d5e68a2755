"""What people do here in a browser, from beginning to end: walked before every release."""

from __future__ import annotations

from shipworthy.contract.manifest import Flow, FlowStep

FLOWS = (
    Flow(
        name="sign_up",
        title="Sign up",
        login=False,
        steps=(
            FlowStep(do="open", what="/signup"),
            FlowStep(do="fill", what="Organisation", value="Sample Works"),
            FlowStep(do="fill", what="Your name", value="Ada Sample"),
            FlowStep(do="fill", what="E-mail address", value="{email}"),
            FlowStep(do="fill", what="Password", value="{password}"),
            FlowStep(do="press", what="Create account"),
            FlowStep(do="see", what="Check your mail"),
            FlowStep(do="mail", what="/verify", value="{email}"),
            FlowStep(do="fill", what="Password", value="{password}"),
            FlowStep(do="press", what="Confirm and sign in"),
            FlowStep(do="see", what="Your address is confirmed. Welcome, Ada Sample."),
        ),
    ),
    Flow(
        name="oauth_link",
        title="Link a sign-in through a provider",
        steps=(
            FlowStep(do="open", what="/account"),
            FlowStep(do="press", what="css=form[action='/account/identities/stub'] button"),
            FlowStep(do="see", what="You can sign in with Stub from now on."),
        ),
    ),
)
