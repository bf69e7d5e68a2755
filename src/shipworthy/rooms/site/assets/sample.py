"""The smallest picture there is to send, for the routes' examples."""

# A PNG of one blue pixel.
SAMPLE_BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mPgjlkLAAGKARU/D3h0AAAAAElFTkSuQmCC"
