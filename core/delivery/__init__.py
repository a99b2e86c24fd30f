"""What arrives and what leaves, each kept before it is acted on; and the trail."""
