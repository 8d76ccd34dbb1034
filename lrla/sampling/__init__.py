"""Row sampling with guarantees: whom to keep of many rows, and with which weight."""

__all__: list[str] = []
