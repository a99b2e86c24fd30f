"""What can be sold and over which channels: products, channels, onboarding of suppliers."""
