"""How a version reaches people: releases, a front that splits traffic, a rollout that judges, a way back."""
