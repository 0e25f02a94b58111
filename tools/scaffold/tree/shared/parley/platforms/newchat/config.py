"""The configuration of an app of NewChat."""

# Next: Name the fields as NewChat's console does, say where it shows each, and check their form.

from parley import adapter


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app. Raises ValueError, which names the field and never its value."""

    app_id: str
    app_secret: str
    """For access tokens."""
    signing_secret: str
    """The key of the callbacks' signatures."""
    host: str = "https://api.example.com"

    def __post_init__(self) -> None:
        """Check what a decoder cannot."""
        for name in ("app_id", "app_secret", "signing_secret"):
            if not getattr(self, name):
                raise ValueError(f"{name}: expected the value that the console shows")
        if not self.host.startswith(("https://", "http://")) or self.host.endswith("/"):
            raise ValueError("host: expected an address with https:// and no slash at its end")
